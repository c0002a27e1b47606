"""Standing authority to debit an account or card: mandates, debit files out with a cut-off, their results back.

Pure: rules, policy, formats. Actions: mandates, instruct, files, results, refunding; rows stand in models.
May touch what payments may touch; the provider `debit` answers from the rows kept here.
"""
