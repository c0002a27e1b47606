### What customers read. Written, not translated; read aloud before it is kept.
### Arguments are finished text: an amount "₩52,300", a day "Fri 31 October", a month "September".

## Around the page

frame-carrier = { $carrier }
frame-language = 한국어
frame-skip = Skip to the main text
frame-help = Help by phone: 114 from a mobile, { $call } from any phone
frame-report = It does not work
frame-person = I want to talk to a person
frame-error-title = Please correct this
frame-stale = You have already gone on from there, on another page or by phone. This is where you are now.

## Ways to pay

method-card = Card
    .hint = Pay now by credit or debit card.
method-transfer = Bank transfer
    .hint = Pay now straight from your bank account.
method-deposit = Deposit to an account number
    .hint = You get an account number and send the money from any bank or cash machine. Works on any device.
method-store = Pay in a store
    .hint = You get a number and pay in a store near you, in cash or by card.
method-debit = Automatic debit
    .hint = Register a bank account once; the money is taken on a fixed day, not right away.
method-elsewhere = { $method }: it does not work in this app or browser. Open this page in another browser to use it.
method-closed = { $method }: closed at this hour. You can use it again from { $opens }.
method-unproven = We have not been able to check this one today. If it fails, we will show you another at once.

## The bill

pay-bill = Due date: { $due }
    .title = Your { $period } charges (billed in { $billed }), { $remaining }, are unpaid
pay-bill-fee = After { $fee_last_day } a late fee of { $fee } is added once, which makes { $fee_after } in all.
pay-bill-bar = If it is unpaid by { $bar_last_day }, outgoing service stops on { $bar_from } (up to { $bar_length }; you can still receive calls).
pay-bill-barred = Service on this number is stopped now. It comes back as soon as you pay.
pay-bill-barred_others = Service on this number is stopped now. Besides this bill, { $overdue } is overdue. Service comes back as soon as all that is overdue is paid. To open another bill, use the link or the code in the text about it.
    .voice = Service on this number is stopped now. Besides this bill, { $overdue } is overdue. Service comes back as soon as all that is overdue is paid. To hear another bill, use the code in the text about it.
pay-bill-others = Besides this bill, { $overdue } is overdue. To open another bill, use the link or the code in the text about it.
    .voice = Besides this bill, { $overdue } is overdue. To hear another bill, use the code in the text about it.
pay-bill-held = Nothing will be stopped before { $until }.
pay-bill-unknown = We do not know yet how your last payment ended. So that you are not charged twice, we will check that first.
pay-bill-undone = The bank has taken your payment back, so this bill is open again. We do not hold it against you: until { $undone_until } there is no late fee and nothing is stopped.
pay-bill-instructed = { $debit } will be debited on { $debit_day }. You may pay in another way before. If it is taken twice, we give it back by ourselves.
pay-bill-account = You can pay { $amount } with the number that you were given, until { $account_until }.
pay-bill--pay = Pay { $remaining }
pay-bill--pay_part = Pay part of it
    .hint = You decide how much.
pay-bill--more_time = I need more time
    .hint = Name a day, and nothing is stopped until then.
pay-bill--already = I have already paid
    .hint = Nothing is stopped while we check.
pay-bill--not_mine = The amount is wrong, or it is not mine
pay-bill--does_not_work = Paying does not work
pay-bill--person = I want to talk to a person

pay-part = You owe { $remaining }.
    .title = How much do you want to pay?
pay-part-field-amount = Amount in won
    .hint = Figures only, for example 20000
    .voice = Key in the amount in won.
pay-part-invalid = Enter an amount in figures, more than 0 and not more than { $remaining }.
    .voice = It must be an amount of at least one won and not more than { $remaining }.
pay-part--submit = Pay this amount
pay-part--back = Back to the bill

## More time

pay-date = Nothing is stopped until the day you name. You can always pay earlier.
    .title = When can you pay?
pay-date-field-date = Day
    .hint = If no calendar opens, write it like { $day_ahead }.
    .voice = Key in the day as four digits, the month first. For the thirty-first of October, one zero three one.
pay-date-invalid = Enter today or a later day, for example { $day_ahead }.
    .voice = It must be today or a later day. For the thirty-first of October, one zero three one.
pay-date--submit = I will pay by this day
pay-date--back = Back to the bill

## Paid already, or wrong

pay-already = Tell us what you remember, or leave it empty. Nothing is stopped while we check.
    .title = When and how did you pay?
    .voice = Tell us what you remember. If you do not know, the hash key alone will do. Nothing is stopped while we check.
pay-already-field-when = Day you paid
    .hint = If no calendar opens, write it like { $day_past }.
    .voice = Key in the day you paid as four digits, the month first. If you do not know it, the hash key alone will do.
pay-already-field-how = How you paid
    .voice = How did you pay?
pay-already-field-how--card = By card
pay-already-field-how--transfer = By bank transfer
pay-already-field-how--deposit = By deposit into an account
pay-already-field-how--shop = In a store
pay-already-field-how--other = Another way, or I am not sure
pay-already-invalid = Enter today or an earlier day, or leave it empty.
    .voice = It must be today or an earlier day. If you do not know it, the hash key alone will do.
pay-already--submit = Please check
pay-already--back = Back to the bill

pay-dispute = A person will look into it. Nothing is stopped until we have answered you.
    .title = What is wrong with the bill?
pay-dispute-field-why = Choose what comes closest
    .voice = Choose what comes closest.
pay-dispute-field-why--amount = The amount is wrong
pay-dispute-field-why--not_used = I did not use this
pay-dispute-field-why--not_my_line = This is not my number
pay-dispute-field-why--left = I have ended this contract
pay-dispute-field-why--other = Something else
pay-dispute-field-words = Anything to add (you may leave this empty)
    .hint = Please do not write identity or card numbers here.
pay-dispute-invalid = Choose one of the answers.
    .voice = Please choose one of the numbers.
pay-dispute--submit = Please look into it
pay-dispute--back = Back to the bill

## When it does not work

pay-reported-held = We have noted where it failed. Until { $until } there is no late fee and nothing is stopped.
    .title = Thank you for telling us
pay-reported-held_before = We have noted this too. The extra time that we gave you before still stands.
    .title = Thank you for telling us again
pay-reported-ways = You can pay now by: { $ways }
pay-reported-no_ways = We cannot take payment in any way right now. If you wait, we will text you as soon as it works.
pay-reported--pay = Pay now
pay-reported--enough = I will wait until it works
pay-reported--person = I want to talk to a person

pay-person = You do not have to wait on the line: we call you. Nothing is stopped until we have talked.
    .title = When may we call you?
pay-person-note-looked_at = The ways that we have checked work at the moment. A person will find out why they do not work for you.
pay-person-note-not_allowed = This page cannot agree to that day. A person will find a way with you.
    .voice = We cannot agree to that day here. A person will find a way with you.
pay-person-note-account_stays = This page cannot hold everything until that day. With the number that you were given you can still pay until { $account_until }. A person will find a way with you.
    .voice = We cannot hold everything until that day here. With the number that you were given you can still pay until { $account_until }. A person will find a way with you.
pay-person-field-phone = Number to call
    .hint = Any number will do, for example 010-1234-5678
pay-person-field-when = A good time
pay-person-field-when--soonest = As soon as possible
pay-person-field-when--morning = Morning
pay-person-field-when--afternoon = Afternoon
pay-person-field-when--evening = Evening
pay-person-invalid = Enter the number to call and choose a time.
    .voice = Please key in the number to call once more.
pay-person--submit = Call me
pay-person--back = Back to the bill

## Paying

pay-method = You can check once more before anything is paid. No money is taken until then.
    .title = How do you want to pay?
    .voice = How do you want to pay? No money is taken before you have chosen.
pay-method-note-gone = The one you chose has just stopped working. No money was taken. What works now is below.
    .voice = The one you chose has just stopped working. No money was taken. This is what works now.
pay-method-note-expired = The time for that payment ran out. No money was taken. You can choose again.
    .voice = The time for that payment ran out. No money was taken. You can choose again.
pay-method-note-no_scripts = We have left out what does not work on this device. No money was taken. What works here is below.
    .voice = This is what works now. No money was taken.
pay-method--submit = Pay { $amount } this way
pay-method--back = Back to the bill

pay-away = Finish on the payment page ({ $method }), then come back here. The amount is { $amount }.
    .title = On to the payment page
pay-away-go = Open the payment page ({ $method })
pay-away-right = You are paying { $amount } ({ $method }). Press the button and it is paid.
    .title = Is this right?
pay-away-came = If you have paid { $amount } on the payment page ({ $method }), press the button to see the result. No further money is taken.
    .title = Have you paid?
pay-away--returned = Pay { $amount }
pay-away--cancelled = Do not pay now
pay-away--other = Pay in another way

pay-script = The amount is { $amount }. The payment window ({ $method }) opens from this page. If it does not open, you can pay in another way at once.
    .title = Open the payment window
pay-script-works = Open the payment window
pay-script-without = The payment window does not open on this device. No money was taken. Press below to see what works here.
pay-script-instead = On this device you can pay by: { $ways }
pay-script--no_scripts = Show what works on this device
pay-script--returned = Pay { $amount }
pay-script--cancelled = Do not pay now
pay-script--other = Pay in another way

pay-account = You have until { $account_until }. As soon as the money arrives it is paid, and we text you.
    .title = You can pay { $amount } here
pay-account-closed = The banks are closed at this hour. You can send it from { $opens }.
pay-account-note-not_yet = It has not arrived yet. If you have just paid, check again in a little while. You can also close this page: we text you when it arrives.
    .voice = It has not arrived yet. If you have just paid, check again in a little while. You can also hang up: we text you when it arrives.
pay-account--check_again = I have paid. Please check
pay-account--enough = I will pay by then
    .hint = Nothing is stopped until then. You can come back to see the number.
pay-account--other = Pay in another way
account-bank = Bank
account-number = Account number
account-holder = Holder
account-until = Until
account-slip = Slip number
account-where = Store hours

pay-mandate = Once registered, bills are debited from this account, beginning with this one. Nothing is taken today. The next page tells you the day.
    .title = Which account shall we debit?
pay-mandate-note-again = Please write it once more. We keep account numbers nowhere, so we have to ask again. Nothing has been registered.
pay-mandate-field-bank = Bank
pay-mandate-field-number = Account number
    .hint = Figures alone, or with hyphens.
pay-mandate-field-holder = Account holder's name
    .hint = As it is written in the bank book.
pay-mandate-field-birth = Holder's date of birth, or company number
    .hint = Date of birth in six figures (for example 640315), or a company's ten figures. We never ask for the rest of a resident number.
pay-mandate-field-agreed = I agree to the above
pay-mandate-consent = I agree that { $carrier } debits my telephone charges from this account on fixed days. I also agree that the bank, the account number, the holder's name and date of birth (or company number) are sent to the clearing house and the bank to be checked for this. I can stop it at any time, and I get back what was debited wrongly.
pay-mandate-invalid-bank = Choose a bank.
pay-mandate-invalid-number = Please look at the account number again. Most have ten to fourteen figures.
pay-mandate-invalid-holder = Enter the account holder's name.
pay-mandate-invalid-birth = Enter the date of birth in six figures (for example 640315), or a company's ten figures.
pay-mandate-invalid-agreed = Automatic debit needs your agreement. Without it you can still pay in another way.
pay-mandate--submit = Register this account
pay-mandate--other = Pay in another way

pay-asking = The bank has not told us the result yet. Please do not pay again: you could be charged twice. We will text you when we know. Nothing is stopped until then.
    .title = We are checking the result
pay-asking--check_again = Check again
pay-asking--enough = Text me the result

pay-refused = You can pay in another way, or take more time.
    .title = The payment did not go through
refused-card = The card company said no. No money was taken.
refused-account = The bank did not accept the transfer. No money was taken.
refused-cancelled = You stopped the payment. No money was taken.
refused-other = The payment was not accepted. No money was taken.
pay-refused--other = Pay in another way
pay-refused--more_time = I need more time
pay-refused--person = I want to talk to a person

pay-faulted = Payment ({ $method }) is not working because of a fault on our side. No money was taken. We have moved your due date to { $until }; no late fee and nothing is stopped meanwhile.
    .title = The payment failed, and it is our fault
pay-faulted-ways = You can pay now by: { $ways }
pay-faulted-no_ways = We cannot take payment in any way right now. If you wait, we will text you as soon as it works.
pay-faulted--pay = Pay now
pay-faulted--enough = I will wait until it works
pay-faulted--person = I want to talk to a person

## Ends

pay-paid = We received { $amount }.
    .title = Paid
pay-paid-line-pending = Your line will be back shortly; we will text you when it is.
pay-paid-others = Besides this bill, { $overdue } is overdue. When all that is overdue is paid, nothing is stopped, and what is stopped comes back at once. To open another bill, use the link or the code in the text about it.
    .voice = Besides this bill, { $overdue } is overdue. When all that is overdue is paid, nothing is stopped, and what is stopped comes back at once. To hear another bill, use the code in the text about it.
pay-paid-line-back = You can make calls again now.
pay-paid-credit = What you paid too much goes back to you. We will text you how.
pay-paid-part = { $remaining } is still open.
pay-paid-nothing_due = There is nothing left to pay on this bill. No further money was taken.
    .title = Nothing left to pay

pay-promised-date = Nothing is stopped until then. You can always pay earlier.
    .title = We will wait until { $until }
pay-promised-claim = We will look for your payment and tell you by { $until }. Nothing is stopped until then.
    .title = We are checking
pay-promised-dispute = A person will look into it and answer you by { $until }. Nothing is stopped until then.
    .title = We are looking into it
pay-promised-ticket = We will call you by { $until }. Nothing is stopped until we have talked.
    .title = We will call you
pay-promised-fault = We will text you as soon as it works. Until { $until } there is no late fee and nothing is stopped.
    .title = We have moved your due date to { $until }
pay-promised-no_way = We cannot take payment in any way right now. This is our fault. We have moved your due date to { $until } and will text you as soon as it works. No late fee, and nothing is stopped.
    .title = You cannot pay right now, and it is our fault
pay-promised-closed = Everything is closed at this hour. You can pay again from { $opens }, and we will text you then. Until { $until } there is no late fee and nothing is stopped.
    .title = You can pay from { $opens }
pay-promised-deposit = Nothing is stopped until then. As soon as the money arrives it is paid, and we text you.
    .title = We will wait until { $until }
pay-promised-debit = { $debit } will be debited on { $debit_day }. It is enough if it is in the account before the bank closes that day. We will text you the result by { $until }. Nothing is stopped until then. You may pay in another way before. If it is taken twice, we give it back by ourselves.
    .title = The debit is arranged
pay-promised-unknown = Please do not pay again. We will find out by { $until } and text you the result. Nothing is stopped until then.
    .title = We will text you the result

## The door

enter-code = Enter the six digits from our text message to see your bill.
    .title = See your bill
    .voice = Key in the six digits from our text message to hear your bill.
enter-code-field-phone = Mobile number
    .hint = For example 010-1234-5678
enter-code-field-code = Six digits
    .hint = For example 482193. They work until the bill is paid.
enter-code-invalid = Enter both the phone number and the six digits.
    .voice = We need both the phone number and the six digits.
enter-code-note-unknown = The phone number and the six digits do not match. Please look at the latest message.
    .voice = The phone number and the six digits do not match. Please look at the latest message.
enter-code--submit = Continue
enter-code--send_again = Send me new digits
enter-code--person = I want to talk to a person

enter-expired = You can still see your bill.
    .title = This link no longer works
enter-expired--send_again = Text me a new link
enter-expired--code = Use the six digits
enter-expired--person = I want to talk to a person

enter-number = We will text you new digits.
    .title = Which number shall we text?
enter-number-field-phone = Mobile number
    .hint = For example 010-1234-5678
enter-number-invalid = Enter a mobile number, for example 010-1234-5678.
    .voice = It must be a mobile number. Begin with zero one zero.
enter-number--submit = Text me
enter-number--back = Back

enter-sent = If there is a bill for this number, a text arrives within a minute. If it does not, we can call you.
    .title = We have sent a text
enter-sent--again = Enter the six digits
    .voice = Key in the six digits
enter-sent--person = No text came. Please call me

enter-help = You cannot get in here right now. Leave a number and we will call you, or call 114 or { $call }.
    .title = There is another way
enter-help--person = Call me
enter-help--again = Enter the six digits again
    .voice = Key in the six digits again

enter-callback = You do not have to wait on the line: we call you.
    .title = When may we call you?
enter-callback-field-phone = Number to call
    .hint = Any number will do, for example 010-1234-5678
enter-callback-field-when = A good time
enter-callback-field-when--soonest = As soon as possible
enter-callback-field-when--morning = Morning
enter-callback-field-when--afternoon = Afternoon
enter-callback-field-when--evening = Evening
enter-callback-invalid = Enter the number to call and choose a time.
    .voice = Please key in the number to call once more.
enter-callback--submit = Call me
enter-callback--back = Back

enter-promised-ticket = We will call you by { $until }. If there is a bill for this number, nothing is stopped until we have talked.
    .title = We will call you

## By telephone

voice-cost = This call costs what your own tariff charges for it.
voice-welcome = { $carrier }.
voice-bill = To hear and pay your bill
voice-callback = A person will call you back on the number you are calling from, by { $until }.
voice-language = 한국어로 들으시려면
voice-option = { $what }: { $key }.
voice-keys = Zero for a person, the hash key to go back, the star key to hear this again.
voice-hash = Finish with the hash key.
voice-this-number = The number you are calling from
voice-other-number = Another number
voice-silence = We have not heard a key yet.
voice-no-such-key = There is no such number.
voice-too-long = That has too many digits.
voice-working = We are working on it. Please stay on the line for a moment.
voice-moved = You have gone on from there on your phone.
voice-by-screen = What comes next can be done on your phone. Shall we text you the way there?
voice-elsewhere = The ways to pay by telephone are not working just now. On a phone or a computer you can pay by { $ways }.
voice-not-now = There is no way to pay just now. Please talk to a person.
voice-text-me = Text me
voice-texted = We are sending you a text. Open it and type the two digits { $number }, and your phone and this call move together. Please stay on the line. To go on by telephone alone: one.
voice-not-joined = If no text came, you can go on by telephone.
voice-joined = Your phone is connected. You can go on there, or with the keys.
voice-beside = We are here while you go on with your phone. The star key to hear this again, zero for a person.
voice-screen = To see it on your phone
voice-page = To key in eight digits that you see on your phone or computer
voice-page-code = Please key in the eight digits.
voice-page-wrong = We found nothing for those digits.
voice-wait-screen = To see it on your phone while you wait: two.
voice-wait-paid = { $amount } has been paid. If you still want to talk to a person, stay on the line. If not, you can hang up.
voice-wait-done = You are no longer waiting. You can call us again at any time.
voice-number = { $label }, { $number }. Once more: { $number }.
voice-wait-range = You will wait about { $low } to { $high } minutes.
voice-wait-place = { $ahead } callers are before you.
voice-wait-unknown = We cannot say now how long you will wait.
voice-wait-longer = It is taking longer than we said.
voice-wait-callback = To hang up and be called by us: one. You keep your place.
voice-wait-kept = The hash key takes you back. If the line drops, your place stays.
voice-wait-no-callback = We cannot call that number. You can go on waiting.
voice-wait-closed = Our people have gone home for today.
voice-wait-closed-no-callback = Our people have gone home for today. Please call again from { $opens }. We cannot call the number you are calling from.
voice-talk-on = We are putting you through to a colleague. You keep your place.
voice-talk-over = The talk is over. If it broke off: one. To go back to the start: the hash key. You can hang up now.
voice-we-call = This is { $carrier }. If you asked us to call you: one.
voice-we-called-late = You have talked with us already, or no longer need to. You can hang up now.
voice-whisper-known = The customer is known for sure.
voice-whisper-stranger = Nobody knows yet who calls.
voice-whisper-language = Speaks English.
voice-whisper-relay = A relay service calls for somebody who does not hear.
voice-whisper-bill = { $amount } unpaid.
voice-whisper-lost = Not reached { $number } times before.
voice-whisper-gone = The customer has hung up.
voice-whisper-nobody = Nobody can take it now.
voice-whisper-vouched = Noted: you have made sure who it is.
voice-over = You can hang up now.
voice-ours = Something went wrong on our side. No further money was taken. We are putting you through to a person.
