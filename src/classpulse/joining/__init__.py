"""Students who take part by link, from their own devices: who is in, what they say, and what is read of them."""
