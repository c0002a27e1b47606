"""The record table: every byte of a debit file and of its answers, in the manner of the Korean CMS.

A file is one header, data records, one trailer: 150 bytes each, CP949, one after another without line ends.

    EB21MMDD   out    what to debit (R) and to give back (D) on the debit day
    EB22MMDD   back   the same records with `outcome` and `code` filled in, counts and sums of what was done
    EB29MMDD   back   debits that were done and that the payer's bank took back days later

As the original has it: H/R/T, serial 00000000 and 99999999, institution, file name, bank + branch, account, amount,
check field (a birth date or a company's number), outcome and code, passbook text, payer number, "1" for whole amounts
only, counts and sums in the trailer, a code that proves who wrote the file.
Ours, in bytes that the original leaves blank: `sequence` (a day may have several files), `origin_*` (which order a
return is about), D records with their count and sum, and the whole of EB29. The real CMS has no refund record: there a
carrier gives money back by transfer. Agree on the table with your clearing house before the first file.
"""

from doenda.payments.debit.formats.records import Field, Record

LENGTH = 150

HEADER = Record(
    "header",
    LENGTH,
    (
        #     name           start width kind
        Field("kind", 1, 1, "const", "H"),
        Field("serial", 2, 8, "const", "00000000"),
        Field("institution", 10, 10, "text"),  # the carrier's code at the house
        Field("file", 20, 8, "text"),  # EB21, EB22 or EB29, then MMDD
        Field("day", 28, 6, "date"),  # the debit day; of EB29 the day of the returns
        Field("branch", 34, 7, "text"),  # the carrier's bank and branch
        Field("deposit", 41, 16, "text"),  # the carrier's account, to which the money goes
        Field("sequence", 57, 2, "number"),  # ours: which file of the day, from 1
        Field("filler", 59, 92, "const", ""),
    ),
)

DATA = Record(
    "data",
    LENGTH,
    (
        Field("kind", 1, 1, "text"),  # R debit, D (ours) refund of an earlier debit
        Field("serial", 2, 8, "number"),  # from 1, without a gap
        Field("institution", 10, 10, "text"),
        Field("bank", 20, 7, "text"),  # three digits of the bank, four of the branch or zeros
        Field("account", 27, 16, "text"),
        Field("amount", 43, 13, "number"),  # won
        Field("check", 56, 13, "text"),  # birth date YYMMDD, or a company's number
        Field("outcome", 69, 1, "text"),  # Y done, N not done; blank in EB21
        Field("code", 70, 4, "text"),  # providers/debit/codes.py; blank in EB21
        Field("passbook", 74, 16, "text"),  # what the payer reads in the passbook
        Field("fund", 90, 2, "const", ""),
        Field("payer", 92, 20, "text"),  # our number of the payer
        Field("own", 112, 5, "const", ""),
        Field("whole", 117, 1, "const", "1"),  # the whole amount or nothing
        Field("origin_day", 118, 6, "date"),  # ours, EB29 only: the debit day,
        Field("origin_sequence", 124, 2, "number"),  # the file of that day,
        Field("origin_serial", 126, 8, "number"),  # and the record in it
        Field("filler", 134, 17, "const", ""),
    ),
)

TRAILER = Record(
    "trailer",
    LENGTH,
    (
        Field("kind", 1, 1, "const", "T"),
        Field("serial", 2, 8, "const", "99999999"),
        Field("institution", 10, 10, "text"),
        Field("file", 20, 8, "text"),
        Field("records", 28, 8, "number"),  # data records of both kinds
        Field("debits", 36, 8, "number"),  # R records,
        Field("debit_sum", 44, 13, "number"),  # and their sum in won
        Field("paid", 57, 8, "number"),  # answers: R records that were done,
        Field("paid_sum", 65, 13, "number"),  # and their sum
        Field("refunds", 78, 8, "number"),  # ours: D records,
        Field("refund_sum", 86, 13, "number"),  # and their sum
        Field("filler", 99, 42, "const", ""),
        Field("mac", 141, 10, "text"),  # first ten hex digits of HMAC-SHA256 over all bytes before
    ),
)
