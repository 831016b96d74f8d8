"""Reading what came from outside: names, contents and pictures of files. Pure: no database, settings or clock."""
