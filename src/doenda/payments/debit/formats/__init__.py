"""Files to and from the clearing house: fixed-width records in the manner of the Korean CMS, and SEPA's XML.

Pure: bytes to values and back. `words` says what a file says in any form; `cms_table` is the record table.
"""
