# What customers call the methods of paying; every text that names one takes it from here.
way-card = card
way-transfer = bank transfer
