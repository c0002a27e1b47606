### Words that only web pages need.

web-fact-paid = Paid
web-fact-when = Paid on
web-fact-how = Method
web-fact-receipt = Receipt number
web-fact-bill = Bill number
web-fact-line = Phone number
web-working = We are working on it. Press the button below in a few seconds. You do not need to pay again.
    .title = One moment
web-working--check = Check again
web-closed = The time for that payment page ran out, or the payment ended somewhere else. Press the button to see where things stand now.
    .title = That payment page has closed
web-closed--check = See where things stand
web-see-result = See the result
web-shut = The time for that number is over, or the bill was paid in another way. Press the button to see where things stand now.
    .title = That number is not in use any more
web-shut--check = See where things stand
web-again = See the bill again
web-error-title = We cannot show this page
web-error-bad = Something on this page was incomplete, so we did nothing. No money was taken. Please open the link in your text message again.
web-error-gone = There is no page at this address. Open the link in your text message again, or use your six-digit code.
web-error-ours = Something went wrong on our side. If you were paying, do not pay again: open the same link and we will show you how far it got.
web-error-again = Start again

### Pages beside a call.
web-join = Type the two digits that you heard in the call. Then the call and this page move together. If you did not hear them, press the star key (*) in the call.
    .title = Go on here with your call
web-join-digits = Two digits
web-join-wrong = Those are not the digits of your call. Press the star key (*) in the call to hear them again.
web-join--submit = Go on
web-join-over = This link works once, and for 20 minutes. Ask for another text in the call, or come in below with your phone number and the six digits.
    .title = This link is closed
web-join-over--door = Use my number
web-beside-together = Your call and this page are at the same place. Whichever you use, both move; if the call drops, you can go on here.
web-beside-range = A person answers in about { $low } to { $high } minutes.
web-beside-longer = It is taking longer than we said.
web-beside-unknown = You are waiting for a person. We cannot say now how long it will take.
web-beside-ahead = { $ahead } callers are before you.
web-beside-kept = While you wait you can see your bill and pay it below. If the call drops, you keep your place.
web-beside-paid = Your bill is paid. If you still want to talk to a person, just keep waiting.
web-beside-away = The call has ended, but your place is kept until { $until }. Call again by then and you have it back.
web-beside-talking = You are connected to a person.
web-beside-callback = We will call you by { $until }. You keep your place if you hang up.
web-beside-moved = The call has gone on from here. What you typed has not been sent.
web-beside--call_me = Hang up and be called
web-beside--enough = I need not wait any more
web-beside-to-call = Call { $call }, press 4, and then { $digits }: this page and the call move together. The digits work for 20 minutes.
web-beside--to_call = See this while you call us
web-beside--check = See where it stands

### The telephone: what the switch itself says while the application is away.
voice-one-moment = One moment, please. You will not be cut off; we go on as soon as we can.

### What works now, and what does not.
status-title = What works now
    .title = Ways to pay: how they stand
status-at = as of { $when }
status-works = Works now: { $ways }
status-no-way = No way to pay works at the moment. While that lasts there is no late fee and no suspension, and we will tell you when it does.
status-unknown = We cannot tell at the moment. What is not known to work is not named.
status-past = Incidents of the last { $days } days
status-none = None.
status-incident-provider = Fault: { $methods }
status-incident-device = Fault in some apps or browsers: { $methods }
status-incident-no-way = Fault: nothing worked
status-since = Since
status-detected = Noticed after
status-repaired = Repaired after
status-customers = Customers told of it
status-money = Bills that wait
status-lasted = { $minutes ->
        [none] {""}
       *[other] { $minutes } min{" "}
    }{ $seconds } s
status-event-withdrawn = { $method }: no longer named
status-event-returned = { $method }: works again
status-event-no-way = nothing works
status-event-mended = all repaired
