"""Enrolling people who agreed to be recognised: `photos` become embeddings, `register` asks for consent first.

`roster` reads a list of many. What is kept of them is in `storage.people`; who of them a running class may name is in
`roll`, and how somebody is recognised in `vision.recognition`.
"""
