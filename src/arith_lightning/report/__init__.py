"""Reports: what is asked, trained and written on one page, with the command behind every number."""
