# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""Contains endpoint functions for accessing the API"""
