"""What is not to be imported here: importing Boards gives the framework's teams a column, in the whole process."""

collect_ignore = ["boards"]
