# Notices. The value is the full text (LMS), .sms the short one: at most 80 bytes of CP949, no link.
# Names of ways come in $ways only; 114 is named as a way only where $door is voice, because it was proven.

notice-reminder-before = Your { $period } charges (billed in { $billed }) of { $amount } are due on { $due }. If you pay by then, nothing is added.
    .sms = { $carrier }: { $amount }, due { $due_short }. Pay { $where }→{ $code }

notice-reminder = Your { $period } charges (billed in { $billed }) of { $amount } are unpaid. They were due on { $due }.
    .sms = { $carrier }: { $amount } unpaid since { $due_short }. { $where }→{ $code }

notice-suspension-notice = Notice before we stop your outgoing service.

    Unpaid: { $amount }{ $bills ->
        [one] {""}
       *[other] {" "}({ $bills } bills)
    }
    Reason: we did not receive your payment by { $due }.
    Start: from { $effective } you cannot make calls, send texts or use data. You can still receive calls, and you can call 112, 119 and 114.
    Period: { $longest_days ->
        [none] until you pay.
       *[other] until you pay, { $longest_days } days at most.
    }
    How to avoid or end it: if you pay { $bills ->
        [one] {""}
       *[other] all of it{" "}
    }by { $last_day }, nothing is stopped. If you pay { $bills ->
        [one] {""}
       *[other] all of it{" "}
    }later, service comes back at once.
    .sms = { $carrier }: { $amount } unpaid. Barred { $effective_short }. { $where }→{ $code }

notice-full-suspension-notice = Notice before we stop your incoming service.

    Unpaid: { $amount }{ $bills ->
        [one] {""}
       *[other] {" "}({ $bills } bills)
    }
    Reason: outgoing service is stopped and we still have not received your payment (due { $due }).
    Start: from { $effective } you cannot receive calls or texts either. You can call 112, 119 and 114.
    Period: { $longest_days ->
        [none] until you pay.
       *[other] until you pay, { $longest_days } days at most from the day on which outgoing service was stopped.
    }
    How to avoid or end it: if you pay { $bills ->
        [one] {""}
       *[other] all of it{" "}
    }by { $last_day }, incoming service is not stopped. If you pay { $bills ->
        [one] {""}
       *[other] all of it{" "}
    }later, service comes back at once.
    .sms = { $carrier }: { $amount } unpaid. No calls { $effective_short }. { $where }→{ $code }

notice-late-fee = Your { $period } charges (billed in { $billed }) were not paid in time, so a late fee of { $fee } was added. It is added once. You now owe { $amount } in all.
    .sms = { $carrier }: late fee { $fee }, in all { $amount }. { $where }→{ $code }

notice-promise-due = You agreed to pay by { $until }. { $amount } remains. Until then there is no late fee and no suspension.
    .sms = { $carrier }: { $amount } by { $until }. { $where }→{ $code }

notice-fault-mended = The fault on our side is mended: you can pay again. { $amount } remains. We are sorry for the wait. No late fee and no suspension for the time of the fault.
    .sms = { $carrier }: fault mended. { $amount }. { $where }→{ $code }

notice-way-back = You can pay your bill again now. { $amount } remains. We are sorry for the wait. No late fee and no suspension for the time when you could not pay.
    .sms = { $carrier }: you can pay again. { $amount }. { $where }→{ $code }

notice-misled = What we told you of ({ $failed }) does not work at the moment. The fault is ours, not yours. While it lasts there is no late fee and no suspension, and your due date moves by as much. { $works ->
        [nothing] Just now nothing works. You need not do anything. We will text you as soon as something does.
       *[something] We will tell you when it works again. If you want to pay now, the ways below work.
    }
    .sms = { $carrier }: { $failed } is down. No fees for now.

notice-receipt = We received { $paid }. Thank you.{ $lines ->
        [barred] {" "}Your line will be back shortly; we will text you when it is.
        [stays] {" "}{ $overdue } is still overdue. When it is paid, your line comes back.
        [owes] {" "}{ $overdue } is still overdue.
       *[open] {""}
    }
    .sms = { $carrier }: we received { $paid }. { $lines ->
        [barred] Thank you. Your line is coming back.
        [stays] Line back when { $overdue } is paid.
        [owes] { $overdue } is still overdue.
       *[open] Thank you.
    }

notice-restored = Your line { $line ->
        [none] is
       *[other] { $line } is
    } back: you can make calls, send texts and use data again.
    .sms = { $carrier }: { $line ->
        [none] your line is back. You can call, text and use data.
       *[other] line { $line } is back. You can use it again.
    }

notice-unknown-outcome = The bank has not told us the result of your payment of { $paid } yet. Please do not pay again: you could be charged twice. We will text you when we know. Your line stays on until then.
    .sms = { $carrier }: { $paid } is being checked. Please do not pay again yet.

notice-unknown-settled = The payment you were waiting for is confirmed: we received { $paid }. You need not pay again.
    .sms = { $carrier }: payment confirmed, we received { $paid }. Thank you.

notice-refused-later = We now know that your payment of { $paid } did not go through. No money was taken. What works now is shown below.
    .sms = { $carrier }: { $paid } did not go through. No money was taken.

notice-promise-made = { $whose ->
        [ours] We will find out and tell you by { $until }.
       *[customer] You agreed to pay by { $until }.
    } Until then there is no late fee and no suspension.
    .sms = { $carrier }: { $whose ->
        [ours] we answer by { $until }.
       *[customer] pay by { $until }.
    } Your line stays on.

notice-new-link = Here is the bill that you asked for. You can see what you owe and pay it below.
    .sms = { $carrier }: your bill { $where }→{ $code }

notice-screen = Go on here with what you began by telephone. Type the two digits that you heard, and the call and this page move together.
    { $link }
    If you did not call us, delete this text and do not open it.
    .sms = { $carrier }: go on with your call at { $site }

notice-ticket = We will be in touch by { $answer_by }. You keep your place if you hang up or call again.
    .sms = { $carrier }: we answer by { $answer_by }. You keep your place.

notice-overpaid = You paid { $paid } too much. { $back ->
        [source] It goes back to the card or account it came from. You need not do anything.
       *[asked] We will contact you to ask where to send it. Until then { $paid } is kept for you.
    }
    .sms = { $carrier }: you paid { $paid } too much. { $back ->
        [source] It goes back by itself.
       *[asked] We will contact you.
    }

notice-refunded = We have given back the { $paid } that you paid too much. It may take some days until you see it.
    .sms = { $carrier }: we gave back { $paid }.

notice-payment-undone = The bank has taken your payment of { $paid } back, so the bill is open again. We do not hold it against you: for some days there is no late fee and no suspension.
    .sms = { $carrier }: the bank took { $paid } back. The bill is open again.

notice-debit-due = { $paid } will be debited on { $day }. It is enough if it is in the account before the bank closes that day. You may pay in another way before; if it is taken twice, we give it back at once.
    .sms = { $carrier }: debit of { $paid } on { $day }.

notice-debit-failed = The debit of { $paid } did not go through. No money was taken.{ $next ->
        [none] {""}
       *[other] {" "}We will try once more on { $next }.
    } You may pay in another way before.
    .sms = { $carrier }: the debit of { $paid } did not go through.

# Lines that follow a full text.
notice-fee-ahead = After { $fee_after } a late fee of { $fee } is added once.
notice-ways = What works now: { $ways }
notice-open = Pay: { $link }
    If the link does not open, go to { $site } and enter this phone's number and the code { $code }
    .sms = Pay: 114 (from other phones { $call }), code { $code }
    .site = Pay: go to { $site } and enter this phone's number and the code { $code }
notice-moved = Your due date has moved to { $until }.
notice-object = If you have paid already or the amount is wrong, tell us: we will put the suspension off. 114 or { $call }
