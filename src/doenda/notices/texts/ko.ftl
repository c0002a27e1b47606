# Notices. The value is the full text (LMS), .sms the short one: at most 80 bytes of CP949, no link.
# Names of ways come in $ways only; 114 is named as a way only where $door is voice, because it was proven.

notice-reminder-before = { $period } 이용요금({ $billed } 청구) { $amount }의 납부일은 { $due }이에요. 이날까지 내시면 아무것도 더 붙지 않아요.
    .sms = { $carrier } { $period } 요금 { $amount }. 납부일 { $due_short }. 납부 { $where }→{ $code }

notice-reminder = { $period } 이용요금({ $billed } 청구) { $amount }이 아직 납부되지 않았어요. 납부일은 { $due }이었어요.
    .sms = { $carrier } 미납 { $amount }. 납부일 { $due_short } 지남. 납부 { $where }→{ $code }

notice-suspension-notice = 발신정지를 미리 알려 드려요.

    미납 요금: { $amount }{ $bills ->
        [one] {""}
       *[other] (청구서 { $bills }건)
    }
    이유: 요금을 납부일({ $due })까지 받지 못했어요.
    시작: { $effective }부터 발신정지예요. 전화·문자를 보낼 수 없고 데이터도 쓸 수 없어요. 걸려 오는 전화는 받으실 수 있고, 112·119·114에는 거실 수 있어요.
    기간: { $longest_days ->
        [none] 내실 때까지예요.
       *[other] 내실 때까지, 최대 { $longest_days }일이에요.
    }
    푸는 방법: { $last_day }까지 { $bills ->
        [one] {""}
       *[other] 모두{" "}
    }내시면 정지되지 않아요. 정지된 뒤에도 { $bills ->
        [one] {""}
       *[other] 모두{" "}
    }내시면 바로 풀려요.
    .sms = { $carrier } 미납 { $amount }. { $effective_short } 발신정지 예정. 납부 { $where }→{ $code }

notice-full-suspension-notice = 수신정지를 미리 알려 드려요.

    미납 요금: { $amount }{ $bills ->
        [one] {""}
       *[other] (청구서 { $bills }건)
    }
    이유: 발신정지 뒤에도 요금을 받지 못했어요(납부일 { $due }).
    시작: { $effective }부터 수신정지예요. 걸려 오는 전화·문자도 받을 수 없어요. 112·119·114에는 거실 수 있어요.
    기간: { $longest_days ->
        [none] 내실 때까지예요.
       *[other] 내실 때까지, 발신정지된 날부터 세어 최대 { $longest_days }일이에요.
    }
    푸는 방법: { $last_day }까지 { $bills ->
        [one] {""}
       *[other] 모두{" "}
    }내시면 수신정지되지 않아요. 정지된 뒤에도 { $bills ->
        [one] {""}
       *[other] 모두{" "}
    }내시면 바로 풀려요.
    .sms = { $carrier } 미납 { $amount }. { $effective_short } 수신정지 예정. 납부 { $where }→{ $code }

notice-late-fee = { $period } 이용요금({ $billed } 청구)이 기한까지 납부되지 않아 연체가산금 { $fee }이 붙었어요. 한 번만 붙어요. 지금 내실 금액은 모두 { $amount }이에요.
    .sms = { $carrier } 연체가산금 { $fee } 더해 { $amount }. 납부 { $where }→{ $code }

notice-promise-due = 내시기로 한 날은 { $until }이에요. 남은 금액은 { $amount }이에요. 그때까지는 연체가산금도 정지도 없어요.
    .sms = { $carrier } 납부 약속 { $until }. { $amount }. 납부 { $where }→{ $code }

notice-fault-mended = 저희 쪽 장애가 풀렸어요. 이제 다시 내실 수 있어요. 남은 금액은 { $amount }이에요. 기다리시게 해 죄송해요. 장애가 있던 동안에는 연체가산금도 정지도 없어요.
    .sms = { $carrier } 장애가 풀렸어요. { $amount }. 납부 { $where }→{ $code }

notice-way-back = 이제 요금을 다시 내실 수 있어요. 남은 금액은 { $amount }이에요. 기다리시게 해 죄송해요. 내실 수 없던 동안에는 연체가산금도 정지도 없어요.
    .sms = { $carrier } 이제 요금을 내실 수 있어요. { $amount }. 납부 { $where }→{ $code }

notice-misled = 안내해 드린 방법({ $failed })이 저희 쪽 장애로 지금 되지 않아요. 고객님 잘못이 아니에요. 장애가 있는 동안에는 연체가산금도 정지도 없고, 그만큼 납부 기한이 미뤄져요. { $works ->
        [nothing] 지금은 되는 방법이 하나도 없어요. 하실 일은 없어요. 되는 대로 문자로 알려 드릴게요.
       *[something] 다시 되면 알려 드릴게요. 지금 내고 싶으시면 아래 방법이 돼요.
    }
    .sms = { $carrier } { $failed } 장애예요. 그동안 가산금도 정지도 없어요.

notice-receipt = { $paid }이 납부됐어요. 고맙습니다.{ $lines ->
        [barred] {" "}곧 정지가 풀려요. 풀리면 문자로 알려 드릴게요.
        [stays] {" "}밀린 요금이 아직 { $overdue } 있어요. 모두 내시면 정지가 풀려요.
        [owes] {" "}밀린 요금이 아직 { $overdue } 있어요.
       *[open] {""}
    }
    .sms = { $carrier } { $paid }이 납부됐어요. { $lines ->
        [barred] 고맙습니다. 정지가 풀리면 알려 드릴게요.
        [stays] 밀린 요금 { $overdue }도 내시면 정지가 풀려요.
        [owes] 밀린 요금이 { $overdue } 남았어요.
       *[open] 고맙습니다.
    }

notice-restored = { $line ->
        [none] 정지가
       *[other] { $line } 번호의 정지가
    } 풀렸어요. 이제 전화·문자와 데이터를 다시 쓰실 수 있어요.
    .sms = { $carrier } { $line ->
        [none] 정지가 풀렸어요. 이제 전화·문자·데이터를 다시 쓰실 수 있어요.
       *[other] { $line } 정지가 풀렸어요. 다시 쓰실 수 있어요.
    }

notice-unknown-outcome = 은행에서 { $paid } 결제의 결과를 아직 받지 못했어요. 두 번 빠져나갈 수 있으니 다시 결제하지 마세요. 확인되는 대로 문자로 알려 드릴게요. 그때까지 정지되지 않아요.
    .sms = { $carrier } { $paid } 결제 확인 중. 다시 결제하지 마세요. 결과를 알려 드릴게요.

notice-unknown-settled = 기다리시던 결제가 확인됐어요. { $paid }이 납부됐어요. 다시 내지 않으셔도 돼요.
    .sms = { $carrier } 결제가 확인됐어요. { $paid }이 납부됐어요. 고맙습니다.

notice-refused-later = 확인해 보니 { $paid } 결제는 되지 않았어요. 돈은 빠져나가지 않았어요. 지금 되는 방법은 아래에서 보실 수 있어요.
    .sms = { $carrier } { $paid } 결제는 되지 않았어요. 돈은 빠져나가지 않았어요.

notice-promise-made = { $whose ->
        [ours] 저희가 { $until }까지 확인해서 알려 드릴게요.
       *[customer] { $until }까지 내시기로 했어요.
    } 그때까지 연체가산금도 정지도 없어요.
    .sms = { $carrier } { $whose ->
        [ours] { $until }까지 확인해 드릴게요.
       *[customer] 납부 약속 { $until }.
    } 그때까지 정지 없어요.

notice-new-link = 요청하신 요금 안내예요. 아래에서 금액을 보고 내실 수 있어요.
    .sms = { $carrier } 요금 보기 { $where }→{ $code }

notice-screen = 전화로 하시던 것을 여기서 이어 하세요. 전화에서 들으신 두 숫자를 적으시면 전화와 화면이 함께 움직여요.
    { $link }
    전화하신 적이 없다면 열지 마시고 지우세요.
    .sms = { $carrier } 전화로 하시던 것 이어 하기: { $site }

notice-ticket = { $answer_by }까지 저희가 연락드릴게요. 끊으셔도, 다시 전화하셔도 순서는 그대로예요.
    .sms = { $carrier } { $answer_by }까지 연락드릴게요. 순서는 그대로예요.

notice-overpaid = { $paid }을 더 내셨어요. { $back ->
        [source] 내신 카드나 계좌로 돌려 드릴게요. 하실 일은 없어요.
       *[asked] 돌려받으실 계좌를 여쭈러 저희가 연락드릴게요. 그때까지 { $paid }은 저희가 잘 맡아 둘게요.
    }
    .sms = { $carrier } { $paid }을 더 내셨어요. { $back ->
        [source] 내신 곳으로 돌려 드려요.
       *[asked] 저희가 연락드릴게요.
    }

notice-refunded = 더 내신 { $paid }을 돌려 드렸어요. 내역에 보이기까지 며칠 걸릴 수 있어요.
    .sms = { $carrier } 더 내신 { $paid }을 돌려 드렸어요.

notice-payment-undone = 납부된 { $paid }을 은행이 되돌려 갔어요. 그래서 요금이 다시 남아 있어요. 내신 분의 잘못으로 보지 않아요. 며칠 동안은 연체가산금도 정지도 없어요.
    .sms = { $carrier } 은행이 { $paid }을 되돌려 갔어요. 요금이 다시 남아 있어요.

notice-debit-due = { $day }에 { $paid }이 자동이체돼요. 그날 은행이 닫기 전까지 계좌에 있으면 돼요. 그 전에 다른 방법으로 내셔도 돼요. 두 번 빠지면 저희가 바로 돌려 드려요.
    .sms = { $carrier } { $day } 자동이체 { $paid }.

notice-debit-failed = 자동이체 { $paid }이 되지 않았어요. 돈은 빠져나가지 않았어요.{ $next ->
        [none] {""}
       *[other] {" "}{ $next }에 한 번 더 할게요.
    } 그 전에 다른 방법으로 내셔도 돼요.
    .sms = { $carrier } 자동이체 { $paid }이 되지 않았어요.

# Lines that follow a full text.
notice-fee-ahead = { $fee_after }이 지나면 연체가산금 { $fee }이 한 번 붙어요.
notice-ways = 지금 되는 방법: { $ways }
notice-open = 납부하기: { $link }
    링크가 열리지 않으면 { $site }에서 이 휴대폰 번호와 여섯 자리 번호 { $code }
    .sms = 납부: 114(다른 전화에서는 { $call })→{ $code }
    .site = 납부: { $site }에서 이 휴대폰 번호와 여섯 자리 번호 { $code }
notice-moved = 납부 기한은 { $until }까지로 미뤄 드렸어요.
notice-object = 이미 내셨거나 금액이 다르면 알려 주세요. 정지를 미뤄 드려요. 114 또는 { $call }
