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
