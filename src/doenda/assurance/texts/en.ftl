# What customers call the methods of paying; every text that names one takes it from here.
way-card = card
way-transfer = bank transfer
way-deposit = deposit to a virtual account
way-debit = automatic debit
way-billing = saved card
way-store = payment at a store
way-text = text messages
way-person = calling a person
way-cash = cash at a store
# $method: one of the names above; $when: a time of day, or a day with its time.
way-opens-again = { $method }: again from { $when }
