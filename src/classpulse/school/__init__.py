"""A school: several classes in one process, and several processes that know of each other through their database.

`school` is asked first; `own` keeps the classes of this process. What recurs and who belongs to it is kept in
`storage.courses`; pages, logins and the way from one process to another are in `web`.
"""
