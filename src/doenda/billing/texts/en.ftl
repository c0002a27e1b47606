bill-class-service = Service charges
bill-class-roaming = Roaming
bill-class-device_instalment = Device instalment
bill-class-small_payment = Small payments
bill-class-content = Content
bill-class-other = Other
bill-class-late_fee = Late fee
