"""
Instalment reminders by SMS: the right words, at a lawful hour, once.

`domain` decides, `policy` holds the law and the lenders' choices as data, `services` orchestrate,
`adapters` talk to AWS, `wiring` puts them together.
"""
