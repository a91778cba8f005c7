"""
Refusals: the reasons for refusing a file, a row or a customer, each a code and a sentence with the fix.

Code and sentence never quote a cell, because reject files have more readers than the files of accounts.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from dunning.domain.errors import DunningError
from dunning.domain.texts.formulas import begins_a_formula


class Refusal(StrEnum):
    """The codes, as they appear in the reject file and in logs."""

    NOT_A_CSV = "not_a_csv"
    EMPTY_FILE = "empty_file"
    NO_ROWS = "no_rows"
    WRONG_ENCODING = "wrong_encoding"
    MISSING_COLUMNS = "missing_columns"
    DUPLICATE_COLUMN = "duplicate_column"
    BROKEN_QUOTING = "broken_quoting"
    OVERTAKEN = "overtaken"
    NO_HEADING = "no_heading"
    HEADING_OF_TWO_LINES = "heading_of_two_lines"
    MISSPELT_HEADING = "misspelt_heading"
    LINE_TOO_LONG = "line_too_long"
    UNKNOWN_LIST = "unknown_list"
    TOO_MANY_MISSING = "too_many_missing"

    WRONG_FIELD_COUNT = "wrong_field_count"
    CHARACTER_LOST = "character_lost"
    CELL_TOO_LONG = "cell_too_long"
    SPREADSHEET_ERROR = "spreadsheet_error"
    MERGED_CELLS = "merged_cells"
    MISSING = "missing"
    MALFORMED_ID = "malformed_id"
    PERSONAL_DATA_IN_ID = "personal_data_in_id"
    NOT_A_NAME = "not_a_name"
    NAME_DAMAGED = "name_damaged"
    NAME_SAYS_MORE = "name_says_more"
    NAME_IS_A_FORMULA = "name_is_a_formula"
    UNKNOWN_COUNTRY = "unknown_country"
    STORED_ELSEWHERE = "stored_elsewhere"
    NOT_A_REGION_CODE = "not_a_region_code"
    UNKNOWN_LANGUAGE = "unknown_language"
    UNKNOWN_TIME_ZONE = "unknown_time_zone"
    UNKNOWN_LENDER = "unknown_lender"
    NOT_THE_LENDER_OF_THE_LIST = "not_the_lender_of_the_list"
    UNKNOWN_CURRENCY = "unknown_currency"
    NOT_AN_INSTANT = "not_an_instant"
    NOT_A_DATE = "not_a_date"
    DATE_OUT_OF_RANGE = "date_out_of_range"
    CONSENT_IN_FUTURE = "consent_in_future"
    NOT_AN_AMOUNT = "not_an_amount"
    TOO_MANY_DECIMALS = "too_many_decimals"
    NOT_AN_ACCOUNT_NUMBER = "not_an_account_number"
    NOT_A_PRODUCT = "not_a_product"
    NOT_A_PAY_ACCOUNT = "not_a_pay_account"
    PERSONAL_PAY_ACCOUNT = "personal_pay_account"
    NOT_A_NUMBER = "not_a_number"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    DAMAGED_BY_SPREADSHEET = "damaged_by_spreadsheet"
    PAID_ON_IN_FUTURE = "paid_on_in_future"
    PAID_AMOUNT_NEGATIVE = "paid_amount_negative"
    PAID_ON_BUT_NOTHING_PAID = "paid_on_but_nothing_paid"
    HOLD_UNTIL_WITHOUT_HOLD = "hold_until_without_hold"
    NOTICE_BEFORE_DUE_DATE = "notice_before_due_date"
    NOTICE_IN_FUTURE = "notice_in_future"
    LATE_FEE_NEGATIVE = "late_fee_negative"
    LATE_FEE_ABOVE_AMOUNT = "late_fee_above_amount"

    PHONE_INVALID = "phone_invalid"
    PHONE_NOT_MOBILE = "phone_not_mobile"
    PHONE_TWO_NUMBERS = "phone_two_numbers"
    PHONE_AMBIGUOUS = "phone_ambiguous"
    PHONE_DAMAGED_BY_SPREADSHEET = "phone_damaged_by_spreadsheet"

    DISAGREES_WITH_OTHER_ROWS = "disagrees_with_other_rows"
    DUPLICATE_INSTALMENT = "duplicate_instalment"
    ACCOUNT_OF_TWO_CUSTOMERS = "account_of_two_customers"
    TOO_MANY_ROWS = "too_many_rows"
    CUSTOMER_ERASED = "customer_erased"
    STORED_RECORD_UNREADABLE = "stored_record_unreadable"
    STORED_RECORD_TOO_LARGE = "stored_record_too_large"
    KEPT_CHANGING = "kept_changing"

    TITLE_PASSED_OVER = "title_passed_over"
    HEADING_PASSED_OVER = "heading_passed_over"
    TOTAL_PASSED_OVER = "total_passed_over"
    RULE_PASSED_OVER = "rule_passed_over"
    REMARK_PASSED_OVER = "remark_passed_over"
    UNKNOWN_HEADING = "unknown_heading"
    HOLD_NOT_UNDERSTOOD = "hold_not_understood"
    NAME_SAYS_DECEASED = "name_says_deceased"
    NOT_IN_LIST = "not_in_list"
    NOT_AN_EMAIL_ADDRESS = "not_an_email_address"
    NOT_A_LINE_USER_ID = "not_a_line_user_id"


OF_WHOLE_FILES = frozenset(
    {
        Refusal.NOT_A_CSV,
        Refusal.EMPTY_FILE,
        Refusal.NO_ROWS,
        Refusal.WRONG_ENCODING,
        Refusal.MISSING_COLUMNS,
        Refusal.DUPLICATE_COLUMN,
        Refusal.BROKEN_QUOTING,
        Refusal.OVERTAKEN,
        Refusal.NO_HEADING,
        Refusal.HEADING_OF_TWO_LINES,
        Refusal.MISSPELT_HEADING,
        Refusal.LINE_TOO_LONG,
        Refusal.UNKNOWN_LIST,
        Refusal.TOO_MANY_MISSING,
    }
)
"""The reasons for which a file is refused whole."""

NOTES = frozenset(
    {
        Refusal.TITLE_PASSED_OVER,
        Refusal.HEADING_PASSED_OVER,
        Refusal.TOTAL_PASSED_OVER,
        Refusal.RULE_PASSED_OVER,
        Refusal.REMARK_PASSED_OVER,
        Refusal.UNKNOWN_HEADING,
        Refusal.HOLD_NOT_UNDERSTOOD,
        Refusal.NAME_SAYS_DECEASED,
        Refusal.NOT_IN_LIST,
        Refusal.NOT_AN_EMAIL_ADDRESS,
        Refusal.NOT_A_LINE_USER_ID,
    }
)
"""What the reject file says of lines that are no rows, and of rows that are loaded: nothing is refused for it."""


EXPLANATIONS: Mapping[Refusal, str] = {
    Refusal.NOT_A_CSV: "This is not a CSV text file. Save it as 'CSV UTF-8 (comma separated)' and upload it again.",
    Refusal.EMPTY_FILE: "The file is empty. Upload one with a header line and a line for each instalment.",
    Refusal.NO_ROWS: "The file has a header line only. Upload it with a line for each instalment.",
    Refusal.WRONG_ENCODING: "The file is not in UTF-8 nor in the encoding that is set up, from this line on. Save it "
    "as 'CSV UTF-8' and upload it again, or name its encoding: AccountsEncoding of the stack, ENCODING= of make run.",
    Refusal.MISSING_COLUMNS: "This line must name all columns. Add those named here; they may have empty cells where a "
    "value is not known. Your own headings belong in columns/*.toml of the policies.",
    Refusal.DUPLICATE_COLUMN: "This line names this column twice. Remove one of the two.",
    Refusal.NO_HEADING: "No line at the top names the columns. Put the heading into the first line, in our names or in "
    "headings of columns/*.toml of the policies.",
    Refusal.HEADING_OF_TWO_LINES: "The heading has two lines: this line and the next both name columns. Write it in "
    "one line.",
    Refusal.MISSPELT_HEADING: "A heading is nearly the name of this column, which would be ignored. Correct the "
    "heading, or call the column something else.",
    Refusal.LINE_TOO_LONG: "This line is too long for a line of a table (65,536 characters, 262,144 with quoted line "
    "breaks). Export the file anew.",
    Refusal.UNKNOWN_LIST: "Below complete/ a file lies in a folder named as its lender, complete/<lender>/file.csv, "
    "and no lender of this name is set up.",
    Refusal.TOO_MANY_MISSING: "The list lacks more of the lender's customers than it may at once. Check that it is "
    "whole; a part of a list belongs below accounts/.",
    Refusal.BROKEN_QUOTING: "A quoted cell does not end, or a quote in it is not doubled. It begins in this line or in "
    'one above it: write " in a cell as "", and quote the whole cell.',
    Refusal.OVERTAKEN: "Newer files were loaded meanwhile, and are no longer there to compare. Upload this file again "
    "if it still holds.",
    Refusal.WRONG_FIELD_COUNT: "The line has more or fewer cells than the header. Quote cells that hold a comma.",
    Refusal.CHARACTER_LOST: "The line holds a character that the file's encoding does not have. Write it anew, or save "
    "the file as 'CSV UTF-8'.",
    Refusal.CELL_TOO_LONG: "The cell has more than 1000 characters. Something else has slipped into it.",
    Refusal.SPREADSHEET_ERROR: "A formula of the spreadsheet has failed in this cell, such as #N/A. Mend it and export "
    "anew.",
    Refusal.MERGED_CELLS: "The cell is empty and may belong to the row above: cells were merged. Fill in each row, and "
    "export anew.",
    Refusal.MISSING: "The cell is empty. It must have a value.",
    Refusal.MALFORMED_ID: "Use 1 to 64 letters A-Z, digits, dots, underscores, colons or hyphens.",
    Refusal.PERSONAL_DATA_IN_ID: "The id is or contains a phone number, a national id or an e-mail address. Ids appear "
    "in logs: use one that says nothing of the person.",
    Refusal.NOT_A_NAME: "A name has 1 to 80 characters, at least one of them a letter.",
    Refusal.NAME_DAMAGED: "Characters of the name are lost or changed, as by a wrong encoding. Write the name anew; an "
    "apostrophe is '.",
    Refusal.NAME_SAYS_MORE: "The cell says more than one person's name: a remark, digits or a second name. Write the "
    "name alone; a reason for silence belongs in hold.",
    Refusal.NAME_IS_A_FORMULA: "The name is a formula of a spreadsheet. Write the name alone.",
    Refusal.UNKNOWN_COUNTRY: "Write the two letters of ISO 3166, for example TW, CN, HK, US or GB.",
    Refusal.STORED_ELSEWHERE: "The law of this country, or of the number's, keeps the data there, and this stack "
    "stores them in another AWS Region. Load the customer into a stack in that country.",
    Refusal.NOT_A_REGION_CODE: "Write the code of ISO 3166-2, for example MA for Massachusetts, or leave it empty.",
    Refusal.UNKNOWN_LANGUAGE: "Write zh-Hant, zh-Hans or en. zh alone does not say which script.",
    Refusal.UNKNOWN_TIME_ZONE: "Write the name of the tz database, for example Asia/Taipei, or leave it empty. "
    "Abbreviations such as CST mean several zones.",
    Refusal.UNKNOWN_LENDER: "No lender of this name is set up. Use the id of its policy.",
    Refusal.NOT_THE_LENDER_OF_THE_LIST: "A list below complete/<lender>/ holds customers of that lender only.",
    Refusal.UNKNOWN_CURRENCY: "Write one of the currencies that are set up by its three letters, for example TWD.",
    Refusal.NOT_AN_INSTANT: "Write YYYY-MM-DD, or a date with time and offset such as 2026-01-31T09:30:00+08:00: "
    "add Z or an offset.",
    Refusal.NOT_A_DATE: "Write the date as YYYY-MM-DD: other orders of day and month can be mistaken.",
    Refusal.DATE_OUT_OF_RANGE: "The date cannot be: it lies more than 15 years before the upload or more than 30 years "
    "after it, or hold_until after 2100.",
    Refusal.CONSENT_IN_FUTURE: "The consent is later than the upload. Give the time at which it was given.",
    Refusal.NOT_AN_AMOUNT: "Write a plain number such as 3250, 3250.00 or 3,250.00. A sign such as NT$ has to be that "
    "of the currency.",
    Refusal.TOO_MANY_DECIMALS: "The amount has more decimals than its currency, or a dot that may separate thousands. "
    "Write 3250 or 3250.00.",
    Refusal.NOT_AN_ACCOUNT_NUMBER: "An account number has at least two letters or digits.",
    Refusal.NOT_A_PRODUCT: "A product has at most 80 characters, none of them damaged.",
    Refusal.NOT_A_PAY_ACCOUNT: "Write the virtual account or payment code in 6 to 34 letters A-Z, digits, "
    "single blanks and hyphens, at least half of them digits.",
    Refusal.PERSONAL_PAY_ACCOUNT: "This looks like the number of a phone, a card or an identity card, and "
    "would stand in texts. Write an account with its bank's code in front, for example 822-12345678901234.",
    Refusal.NOT_A_NUMBER: "Write a whole number.",
    Refusal.NUMBER_OUT_OF_RANGE: "Numbers of instalments are from 1 to 99999, stages from -365 to 3650 days.",
    Refusal.DAMAGED_BY_SPREADSHEET: "A spreadsheet has cut this number. Format the column as text, enter it again and "
    "export anew.",
    Refusal.PAID_ON_IN_FUTURE: "The day of payment is later than the day of the upload. Give payments that were made.",
    Refusal.PAID_AMOUNT_NEGATIVE: "A payment is not negative. Write a credit as a row with a negative amount.",
    Refusal.PAID_ON_BUT_NOTHING_PAID: "There is a day of payment, but the amount paid is 0. Empty one of the two, or "
    "give the amount.",
    Refusal.HOLD_UNTIL_WITHOUT_HOLD: "Give a reason in hold too, for example dispute, hardship or promise.",
    Refusal.NOTICE_BEFORE_DUE_DATE: "A notice from before the due date cannot say that the instalment is late. Give "
    "the notice about this delay, or leave the cell empty.",
    Refusal.NOTICE_IN_FUTURE: "The written notice is dated later than the day of the upload. Give notices that were "
    "issued.",
    Refusal.LATE_FEE_NEGATIVE: "A late fee is not negative. Write a credit as a row with a negative amount.",
    Refusal.LATE_FEE_ABOVE_AMOUNT: "The late fee is more than the amount of the instalment, which must include it.",
    Refusal.PHONE_INVALID: "This is not one valid phone number for the country. Write it with + and the country code, "
    "with no words beside it.",
    Refusal.PHONE_NOT_MOBILE: "This number cannot receive SMS, or has an office's extension. Give a mobile number.",
    Refusal.PHONE_TWO_NUMBERS: "There is more than one number in the cell. Keep the one to be texted.",
    Refusal.PHONE_AMBIGUOUS: "This number can be read in two ways. Write it with + and the country code.",
    Refusal.PHONE_DAMAGED_BY_SPREADSHEET: "A spreadsheet has changed this number. Format the column as text, enter it "
    "again and export anew.",
    Refusal.DISAGREES_WITH_OTHER_ROWS: "An earlier row of the same customer or account says something else here. All "
    "must agree.",
    Refusal.DUPLICATE_INSTALMENT: "The file has this instalment of the account already. Keep one of the two rows.",
    Refusal.ACCOUNT_OF_TWO_CUSTOMERS: "Rows of this account name different customers. An account belongs to one.",
    Refusal.TOO_MANY_ROWS: "The customer has more than 1000 rows. Check customer_id; leave out what was paid long ago.",
    Refusal.CUSTOMER_ERASED: "The customer was erased at your word. Take them out of the file or, if they have "
    "consented anew since, give the moment in consented_at.",
    Refusal.STORED_RECORD_TOO_LARGE: "The customer does not fit into the table, or too many customers have the number. "
    "Leave out accounts that are paid, or correct the number, and upload the customer again.",
    Refusal.KEPT_CHANGING: "Other writers kept changing the customer. Upload the customer again.",
    Refusal.STORED_RECORD_UNREADABLE: "The stored record of this customer cannot be read. It was left as it is: tell "
    "the operators.",
    Refusal.TITLE_PASSED_OVER: "Passed over: the line is above the heading and holds no row.",
    Refusal.HEADING_PASSED_OVER: "Passed over: the line repeats the heading.",
    Refusal.TOTAL_PASSED_OVER: "Passed over: the line is a total and no instalment.",
    Refusal.RULE_PASSED_OVER: "Passed over: the line only draws a rule.",
    Refusal.REMARK_PASSED_OVER: "Passed over: the line is a remark and no instalment.",
    Refusal.UNKNOWN_HEADING: "Ignored: no column of ours has this heading.",
    Refusal.HOLD_NOT_UNDERSTOOD: "Loaded, and silent: this word is no reason we know. Write a reason of the page on "
    "input, or leave the cell empty.",
    Refusal.NAME_SAYS_DECEASED: "Loaded, and silent for good: the name says that the person has died. Look at it.",
    Refusal.NOT_AN_EMAIL_ADDRESS: "Loaded without it: this is not one e-mail address. Write one like wang@example.com, "
    "with no words beside it, or leave the cell empty.",
    Refusal.NOT_A_LINE_USER_ID: "Loaded without it: this is not the id that LINE gives your account for a user, U "
    "and 32 figures or letters a to f. The LINE ID that people search for is another.",
    Refusal.NOT_IN_LIST: "Known, but not in the lender's whole list: no text until a file names the customer again.",
}


class CellError(DunningError):
    """A cell does not hold a value for its column."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class FileRefusedError(DunningError):
    """A file is refused whole. `hint` adds to the explanation; `looks_like` is the encoding it may be in."""

    def __init__(
        self, reason: Refusal, line: int = 1, field: str = "", hint: str = "", *, looks_like: str = ""
    ) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.line = line
        self.field = field
        self.hint = hint
        self.looks_like = looks_like

    def moved(self, lines: int) -> "FileRefusedError":
        """Return the error with so many lines more above its line."""
        return FileRefusedError(self.reason, self.line + lines, self.field, self.hint, looks_like=self.looks_like)


class Refused(NamedTuple):
    """One line of the reject file. `hint` says what is particular to it, and quotes no cell of a row."""

    line: int
    customer_id: str
    field: str
    reason: Refusal
    hint: str = ""


REJECT_COLUMNS = ("line", "customer_id", "field", "reason", "explanation")


def reject_cells(refused: Refused) -> tuple[str, ...]:
    """Write a refusal as the cells of its line in the reject file."""
    explanation = " ".join(filter(None, (EXPLANATIONS[refused.reason], refused.hint)))
    line = str(refused.line) if refused.line else ""
    # An id may begin with a hyphen, and the intake takes the apostrophe off again.
    customer_id = f"'{refused.customer_id}" if begins_a_formula(refused.customer_id) else refused.customer_id
    return line, customer_id, refused.field, refused.reason.value, explanation
