"""Making an older installation's two tables ours: their schema, and the rows they hold.

The first migration uses it, and `manage.py adopt` tries it out (see `operations/adoption.py`).
"""
