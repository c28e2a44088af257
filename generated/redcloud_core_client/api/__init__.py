# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""Contains methods for accessing the API"""
