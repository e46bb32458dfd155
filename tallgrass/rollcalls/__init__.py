"""Where legislators stand: votes, models, starts, tables, links and reports."""
