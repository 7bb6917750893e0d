"""Documents and charts of results, for terminals, plain text and HTML.

A result builds one ``Document`` of blocks (``document``), which ``terminal``, ``lines`` and
``html`` render. Charts are described once (``panels``) for pages and notebooks. No module of this
package imports the class of a run or of another result.
"""
