"""What makes and checks the book: the ``course`` command. Nothing else in course_lib imports it."""
