"""Migrates the two tables of an older installation: schema and rows.

Used by the first migration; `manage.py adopt` previews it (see `operations/adoption.py`).
"""
