"""What makes and checks the book: the ``course`` command, the ledger and the records. course_lib never imports it."""
