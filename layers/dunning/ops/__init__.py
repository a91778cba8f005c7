"""
The operators' programs: for writing policies, and for running a deployed stack. Lambda does not get them.

`make preview`, `make policy-check`; `make sms-settings`, `make erase`, `make replan`, `make restore`,
`make replies-export`. Each is a module:

    PYTHONPATH=layers/dunning:layers/dunning/python python -m ops.erase --help
"""
