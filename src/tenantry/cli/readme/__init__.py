"""``tenantry readme``: the parts of a module's ``docs/readme.md`` that only repeat its declaration, written from it.

Tables, fields, routes and permissions are said once, in the code. What a person has to say stands beside them in the
same section, outside of the markers, and stays as it is. (Nothing is imported here: the rule `module-readme` reads
readmes where the application cannot be imported.)
"""
