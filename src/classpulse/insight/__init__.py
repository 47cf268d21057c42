"""What a class's faces mean together: pure functions over windows of results."""
