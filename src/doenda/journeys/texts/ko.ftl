### 고객이 보는 말. 쓴 다음 소리 내어 읽어 보고 남긴다.
### 인자는 모두 완성된 글자다: 금액 "52,300원", 날짜 "10월 31일(금)", 달 "9월".

## 화면 둘레

frame-carrier = { $carrier }
frame-language = English
frame-skip = 본문으로 바로 가기
frame-help = 전화 도움: 휴대전화에서 114, 다른 전화에서 { $call }
frame-report = 잘 안 돼요
frame-person = 상담원과 이야기할게요
frame-error-title = 이것만 고쳐 주세요
frame-stale = 다른 화면이나 전화에서 이미 다음으로 넘어갔어요. 지금은 여기예요.

## 납부 방법

method-card = 카드
    .hint = 신용카드나 체크카드로 바로 내요.
method-transfer = 실시간 계좌이체
    .hint = 은행 계좌에서 바로 보내요.
method-deposit = 가상계좌 입금
    .hint = 계좌 번호를 받아 은행 앱이나 자동화기기에서 보내요. 어떤 기기에서든 돼요.
method-store = 매장에서 내기
    .hint = 번호를 받아 가까운 매장에서 현금이나 카드로 내요.
method-debit = 자동이체
    .hint = 은행 계좌를 등록해 두면 정해진 날에 빠져나가요. 바로 빠져나가지는 않아요.
method-elsewhere = { $method }: 지금 보시는 앱이나 브라우저에서는 되지 않아요. 이 페이지를 다른 브라우저에서 여시면 하실 수 있어요.
method-closed = { $method }: 지금은 쉬는 시간이에요. { $opens }부터 다시 하실 수 있어요.
method-unproven = 오늘 아직 확인하지 못한 방법이에요. 안 되면 다른 방법을 바로 알려 드려요.

## 청구서

pay-bill = 납부 기한: { $due }
    .title = { $period } 이용요금({ $billed } 청구) { $remaining }이 아직 납부되지 않았어요
pay-bill-fee = { $fee_last_day }이 지나면 연체가산금 { $fee }이 한 번 붙어요. 그때는 모두 { $fee_after }이에요.
pay-bill-bar = { $bar_last_day }까지 내지 않으시면 { $bar_from }부터 발신이 정지돼요(최대 { $bar_length }, 걸려 오는 전화는 받으실 수 있어요).
pay-bill-barred = 지금은 이 번호의 이용이 정지되어 있어요. 내시면 바로 풀어 드려요.
pay-bill-barred_others = 지금은 이 번호의 이용이 정지되어 있어요. 이 청구서 말고도 밀린 요금이 { $overdue } 있어요. 밀린 요금을 모두 내시면 바로 풀어 드려요. 다른 청구서는 그 요금을 알려 드린 문자의 링크나 번호로 여실 수 있어요.
    .voice = 지금은 이 번호의 이용이 정지되어 있어요. 이 청구서 말고도 밀린 요금이 { $overdue } 있어요. 밀린 요금을 모두 내시면 바로 풀어 드려요. 다른 청구서는 그 요금을 알려 드린 문자의 번호로 여실 수 있어요.
pay-bill-others = 이 청구서 말고도 밀린 요금이 { $overdue } 있어요. 그 청구서는 그 요금을 알려 드린 문자의 링크나 번호로 여실 수 있어요.
    .voice = 이 청구서 말고도 밀린 요금이 { $overdue } 있어요. 그 청구서는 그 요금을 알려 드린 문자의 번호로 여실 수 있어요.
pay-bill-held = { $until }까지는 정지되지 않아요.
pay-bill-unknown = 앞서 하신 결제의 결과를 아직 받지 못했어요. 두 번 빠져나가지 않게 결과부터 확인할게요.
pay-bill-undone = 납부하셨던 돈을 은행이 되돌려 갔어요. 그래서 요금이 다시 남아 있어요. 저희는 이 일을 탓하지 않아요. { $undone_until }까지는 연체가산금도 정지도 없어요.
pay-bill-instructed = { $debit_day }에 { $debit }이 자동이체돼요. 그 전에 다른 방법으로 내셔도 돼요. 두 번 빠지면 저희가 알아서 돌려 드려요.
pay-bill-account = 받아 두신 번호로 { $account_until }까지 { $amount }을 내실 수 있어요.
pay-bill--pay = { $remaining } 내기
pay-bill--pay_part = 일부만 낼게요
    .hint = 낼 금액을 직접 정해요.
pay-bill--more_time = 시간이 더 필요해요
    .hint = 낼 날을 정하시면 그날까지 정지되지 않아요.
pay-bill--already = 이미 냈어요
    .hint = 확인하는 동안 정지되지 않아요.
pay-bill--not_mine = 금액이 다르거나 제 요금이 아니에요
pay-bill--does_not_work = 납부가 잘 안 돼요
pay-bill--person = 상담원과 이야기할게요

pay-part = 남은 금액은 { $remaining }이에요.
    .title = 얼마를 내시겠어요?
pay-part-field-amount = 낼 금액(원)
    .hint = 숫자만 적어 주세요. 예: 20000
    .voice = 내실 금액을 원 단위 숫자로 넣어 주세요.
pay-part-invalid = 1원부터 { $remaining }까지의 금액을 숫자로 적어 주세요.
    .voice = 1원부터 { $remaining }까지의 금액이어야 해요.
pay-part--submit = 이 금액으로 내기
pay-part--back = 청구서로 돌아가기

## 시간이 더 필요할 때

pay-date = 정하신 날까지 정지되지 않아요. 그 전에 언제든 내셔도 돼요.
    .title = 언제까지 내실 수 있어요?
pay-date-field-date = 낼 날
    .hint = 달력이 나오지 않으면 { $day_ahead }처럼 적어 주세요.
    .voice = 내실 날을 네 자리로 넣어 주세요. 시월 삼십일 일이면 일공삼일이에요.
pay-date-invalid = 오늘이나 그 뒤의 날로 정해 주세요. 예: { $day_ahead }
    .voice = 오늘이나 그 뒤의 날이어야 해요. 시월 삼십일 일이면 일공삼일이에요.
pay-date--submit = 이날까지 낼게요
pay-date--back = 청구서로 돌아가기

## 이미 냈을 때, 다를 때

pay-already = 기억나는 만큼만 적어 주세요. 비워 두셔도 돼요. 확인하는 동안 정지되지 않아요.
    .title = 언제, 어떻게 내셨어요?
    .voice = 기억나는 만큼만 알려 주세요. 모르시면 우물정자만 넣으셔도 돼요. 확인하는 동안 정지되지 않아요.
pay-already-field-when = 낸 날
    .hint = 달력이 나오지 않으면 { $day_past }처럼 적어 주세요.
    .voice = 내신 날을 네 자리로 넣어 주세요. 시월 삼십일 일이면 일공삼일이에요. 모르시면 우물정자만 넣어 주세요.
pay-already-field-how = 낸 방법
    .voice = 어떻게 내셨어요?
pay-already-field-how--card = 카드
pay-already-field-how--transfer = 계좌이체
pay-already-field-how--deposit = 입금
pay-already-field-how--shop = 매장
pay-already-field-how--other = 다른 방법이거나 모르겠어요
pay-already-invalid = 오늘이나 그 전의 날을 적거나 비워 두세요.
    .voice = 오늘이나 그 전의 날이어야 해요. 모르시면 우물정자만 넣어 주세요.
pay-already--submit = 확인해 주세요
pay-already--back = 청구서로 돌아가기

pay-dispute = 사람이 직접 살펴봐요. 답을 드릴 때까지 정지되지 않아요.
    .title = 무엇이 맞지 않나요?
pay-dispute-field-why = 가장 가까운 것을 골라 주세요
    .voice = 가장 가까운 것의 번호를 넣어 주세요.
pay-dispute-field-why--amount = 금액이 달라요
pay-dispute-field-why--not_used = 쓰지 않은 요금이에요
pay-dispute-field-why--not_my_line = 제 번호가 아니에요
pay-dispute-field-why--left = 이미 해지했어요
pay-dispute-field-why--other = 다른 까닭이에요
pay-dispute-field-words = 더 하실 말씀(안 적으셔도 돼요)
    .hint = 주민등록번호나 카드 번호는 적지 마세요.
pay-dispute-invalid = 위에서 하나를 골라 주세요.
    .voice = 말씀드린 것 가운데 하나의 번호를 넣어 주세요.
pay-dispute--submit = 살펴봐 주세요
pay-dispute--back = 청구서로 돌아가기

## 안 될 때

pay-reported-held = 어디에서 막혔는지 남겨 뒀어요. { $until }까지는 연체가산금도 정지도 없어요.
    .title = 알려 주셔서 고마워요
pay-reported-held_before = 어디에서 막혔는지 또 남겨 뒀어요. 앞서 미뤄 드린 기한은 그대로예요.
    .title = 다시 알려 주셔서 고마워요
pay-reported-ways = 지금은 이렇게 내실 수 있어요: { $ways }
pay-reported-no_ways = 지금은 어떤 방법으로도 내실 수 없어요. 기다리시면 다시 될 때 문자로 알려 드려요.
pay-reported--pay = 지금 낼게요
pay-reported--enough = 고쳐질 때까지 기다릴게요
pay-reported--person = 상담원과 이야기할게요

pay-person = 기다리지 않으셔도 돼요. 저희가 전화드려요. 이야기 나눌 때까지 정지되지 않아요.
    .title = 언제 전화드릴까요?
pay-person-note-looked_at = 지금은 저희가 확인한 방법들이 되고 있어요. 그래도 안 되는 까닭을 상담원이 직접 살펴볼게요.
pay-person-note-not_allowed = 그날까지는 화면에서 바로 정해 드릴 수 없어요. 상담원이 함께 방법을 찾아 드려요.
    .voice = 그날까지는 여기서 바로 정해 드릴 수 없어요. 상담원이 함께 방법을 찾아 드려요.
pay-person-note-account_stays = 그날까지 정지를 미루는 것은 화면에서 바로 정해 드릴 수 없어요. 받으신 번호로는 { $account_until }까지 그대로 내실 수 있어요. 상담원이 함께 방법을 찾아 드려요.
    .voice = 그날까지 정지를 미루는 것은 여기서 바로 정해 드릴 수 없어요. 받으신 번호로는 { $account_until }까지 그대로 내실 수 있어요. 상담원이 함께 방법을 찾아 드려요.
pay-person-field-phone = 전화 받으실 번호
    .hint = 다른 번호도 괜찮아요. 예: 010-1234-5678
pay-person-field-when = 편한 때
pay-person-field-when--soonest = 가장 빠른 때
pay-person-field-when--morning = 오전
pay-person-field-when--afternoon = 오후
pay-person-field-when--evening = 저녁
pay-person-invalid = 전화 받으실 번호를 적고 편한 때를 골라 주세요.
    .voice = 전화 받으실 번호를 다시 넣어 주세요.
pay-person--submit = 전화해 주세요
pay-person--back = 청구서로 돌아가기

## 납부

pay-method = 고르신 다음에 한 번 더 확인하실 수 있어요. 그 전에는 돈이 빠져나가지 않아요.
    .title = 어떻게 내시겠어요?
    .voice = 어떻게 내시겠어요? 그 전에는 돈이 빠져나가지 않아요.
pay-method-note-gone = 고르신 방법이 방금 멈췄어요. 돈은 빠져나가지 않았어요. 지금 되는 방법은 아래에 있어요.
    .voice = 말씀하신 방법이 방금 멈췄어요. 돈은 빠져나가지 않았어요. 지금 되는 방법을 말씀드릴게요.
pay-method-note-expired = 결제 시간이 지나서 끝났어요. 돈은 빠져나가지 않았어요. 다시 고르시면 돼요.
    .voice = 낼 수 있는 시간이 지나서 끝났어요. 돈은 빠져나가지 않았어요. 다시 정하시면 돼요.
pay-method-note-no_scripts = 이 기기에서 되지 않는 방법은 뺐어요. 돈은 빠져나가지 않았어요. 지금 되는 방법은 아래에 있어요.
    .voice = 지금 되는 방법을 말씀드릴게요. 돈은 빠져나가지 않았어요.
pay-method--submit = 이 방법으로 { $amount } 내기
pay-method--back = 청구서로 돌아가기

pay-away = { $method } 결제 화면에서 마친 다음 이 화면으로 돌아와 주세요. 금액은 { $amount }이에요.
    .title = 결제 화면으로 가요
pay-away-go = { $method } 결제 화면 열기
pay-away-right = { $method }로 { $amount }을 내요. 아래를 누르시면 납부돼요.
    .title = 이대로 낼까요?
pay-away-came = { $method } 결제 화면에서 { $amount }을 결제하셨다면, 아래를 눌러 결과를 확인해 주세요. 돈이 새로 빠져나가지는 않아요.
    .title = 결제하고 오셨나요?
pay-away--returned = { $amount } 내기
pay-away--cancelled = 그만둘게요
pay-away--other = 다른 방법으로 낼게요

pay-script = 금액은 { $amount }이에요. 이 화면에서 { $method } 결제창을 열어요. 열리지 않으면 바로 다른 방법으로 내실 수 있어요.
    .title = 결제창을 열어요
pay-script-works = 결제창 열기
pay-script-without = 이 기기에서는 결제창이 열리지 않아요. 돈은 빠져나가지 않았어요. 아래를 누르시면 이 기기에서 되는 방법을 보여 드려요.
pay-script-instead = 이 기기에서는 이렇게 내실 수 있어요: { $ways }
pay-script--no_scripts = 이 기기에서 되는 방법 보기
pay-script--returned = { $amount } 내기
pay-script--cancelled = 그만둘게요
pay-script--other = 다른 방법으로 낼게요

pay-account = { $account_until }까지 내시면 돼요. 들어오면 바로 납부되고 문자로 알려 드려요.
    .title = 여기로 { $amount }을 내시면 돼요
pay-account-closed = 지금은 은행이 쉬는 시간이에요. { $opens }부터 보내실 수 있어요.
pay-account-note-not_yet = 아직 들어오지 않았어요. 방금 내셨다면 조금 뒤에 다시 확인해 주세요. 창을 닫으셔도 들어오면 문자로 알려 드려요.
    .voice = 아직 들어오지 않았어요. 방금 내셨다면 조금 뒤에 다시 확인해 주세요. 전화를 끊으셔도 들어오면 문자로 알려 드려요.
pay-account--check_again = 냈어요. 확인해 주세요
pay-account--enough = 기한까지 낼게요
    .hint = 그때까지 정지되지 않아요. 번호는 다시 와서 보실 수 있어요.
pay-account--other = 다른 방법으로 낼게요
account-bank = 은행 (Bank)
account-number = 계좌 번호 (Account)
account-holder = 받는 이 (Holder)
account-until = 기한 (Until)
account-slip = 납부 번호 (Slip)
account-where = 매장 여는 시간 (Hours)

pay-mandate = 등록하시면 이 요금부터 자동이체돼요. 오늘 바로 빠져나가지는 않아요. 빠져나갈 날은 다음 화면에서 알려 드려요.
    .title = 어느 계좌에서 낼까요?
pay-mandate-note-again = 한 번 더 적어 주세요. 계좌 번호는 어디에도 남겨 두지 않아서 다시 여쭤야 해요. 아무것도 등록되지 않았어요.
pay-mandate-field-bank = 은행
pay-mandate-field-number = 계좌 번호
    .hint = 숫자만 적으셔도 되고 줄표를 넣으셔도 돼요.
pay-mandate-field-holder = 예금주 이름
    .hint = 통장에 적힌 그대로 적어 주세요.
pay-mandate-field-birth = 예금주 생년월일 또는 사업자등록번호
    .hint = 생년월일 여섯 자리(예: 640315)나 사업자등록번호 열 자리. 주민등록번호 뒷자리는 받지 않아요.
pay-mandate-field-agreed = 위 내용에 동의해요
pay-mandate-consent = { $carrier }이 제 이동통신 요금을 정해진 날에 이 계좌에서 빼 가는 것(자동이체)에 동의해요. 이를 위해 은행, 계좌 번호, 예금주 이름과 생년월일(사업자등록번호)을 금융결제원과 은행에 보내 확인하는 것에도 동의해요. 언제든 그만둘 수 있고, 잘못 빠져나간 돈은 돌려받아요.
pay-mandate-invalid-bank = 은행을 골라 주세요.
pay-mandate-invalid-number = 계좌 번호를 다시 봐 주세요. 보통 숫자 열 자리에서 열네 자리예요.
pay-mandate-invalid-holder = 예금주 이름을 적어 주세요.
pay-mandate-invalid-birth = 생년월일 여섯 자리(예: 640315)나 사업자등록번호 열 자리를 적어 주세요.
pay-mandate-invalid-agreed = 자동이체를 하려면 동의가 필요해요. 동의하지 않으셔도 다른 방법으로 내실 수 있어요.
pay-mandate--submit = 이 계좌를 등록할게요
pay-mandate--other = 다른 방법으로 낼게요

pay-asking = 은행에서 아직 결과를 받지 못했어요. 두 번 빠져나갈 수 있으니 다시 결제하지 마세요. 확인되는 대로 문자로 알려 드릴게요. 그때까지 정지되지 않아요.
    .title = 결과를 확인하고 있어요
pay-asking--check_again = 다시 확인하기
pay-asking--enough = 결과는 문자로 받을게요

pay-refused = 다른 방법으로 내시거나 시간을 더 가지셔도 돼요.
    .title = 결제되지 않았어요
refused-card = 카드사가 승인하지 않았어요. 돈은 빠져나가지 않았어요.
refused-account = 은행이 이체를 받아 주지 않았어요. 돈은 빠져나가지 않았어요.
refused-cancelled = 결제를 그만두셨어요. 돈은 빠져나가지 않았어요.
refused-other = 결제가 승인되지 않았어요. 돈은 빠져나가지 않았어요.
pay-refused--other = 다른 방법으로 낼게요
pay-refused--more_time = 시간이 더 필요해요
pay-refused--person = 상담원과 이야기할게요

pay-faulted = 저희 쪽 장애로 { $method } 결제가 되지 않아요. 돈은 빠져나가지 않았어요. 납부 기한을 { $until }까지로 미뤄 드렸고, 그동안 연체가산금도 정지도 없어요.
    .title = 저희 잘못으로 결제되지 않았어요
pay-faulted-ways = 지금은 이렇게 내실 수 있어요: { $ways }
pay-faulted-no_ways = 지금은 어떤 방법으로도 내실 수 없어요. 기다리시면 다시 될 때 문자로 알려 드려요.
pay-faulted--pay = 지금 낼게요
pay-faulted--enough = 고쳐질 때까지 기다릴게요
pay-faulted--person = 상담원과 이야기할게요

## 끝

pay-paid = { $amount }이 납부됐어요.
    .title = 납부됐어요
pay-paid-line-pending = 곧 정지가 풀려요. 풀리면 문자로 알려 드릴게요.
pay-paid-others = 이 청구서 말고도 밀린 요금이 { $overdue } 있어요. 밀린 요금을 모두 내시면 정지되지 않고, 정지된 번호는 바로 풀려요. 다른 청구서는 그 요금을 알려 드린 문자의 링크나 번호로 여실 수 있어요.
    .voice = 이 청구서 말고도 밀린 요금이 { $overdue } 있어요. 밀린 요금을 모두 내시면 정지되지 않고, 정지된 번호는 바로 풀려요. 다른 청구서는 그 요금을 알려 드린 문자의 번호로 여실 수 있어요.
pay-paid-line-back = 이제 다시 전화를 거실 수 있어요.
pay-paid-credit = 더 내신 금액은 돌려 드려요. 어떻게 돌려 드리는지는 문자로 알려 드릴게요.
pay-paid-part = 아직 { $remaining }이 남아 있어요.
pay-paid-nothing_due = 이 청구서에는 더 내실 금액이 없어요. 돈은 새로 빠져나가지 않았어요.
    .title = 더 내실 금액이 없어요

pay-promised-date = 그때까지 정지되지 않아요. 그 전에 언제든 내셔도 돼요.
    .title = { $until }까지 기다릴게요
pay-promised-claim = 내신 것을 찾아보고 { $until }까지 알려 드릴게요. 그때까지 정지되지 않아요.
    .title = 확인하고 있어요
pay-promised-dispute = 사람이 직접 살펴보고 { $until }까지 답을 드릴게요. 그때까지 정지되지 않아요.
    .title = 살펴보고 있어요
pay-promised-ticket = { $until }까지 전화드릴게요. 이야기 나눌 때까지 정지되지 않아요.
    .title = 저희가 전화드려요
pay-promised-fault = 다시 되면 바로 문자로 알려 드릴게요. { $until }까지는 연체가산금도 정지도 없어요.
    .title = 납부 기한을 { $until }까지로 미뤄 드렸어요
pay-promised-no_way = 지금은 어떤 방법으로도 요금을 내실 수 없어요. 저희 쪽 장애 때문이에요. 납부 기한을 { $until }까지로 미뤄 드렸고, 다시 되면 바로 문자로 알려 드릴게요. 연체가산금도 정지도 없어요.
    .title = 지금은 내실 수 없어요. 저희 잘못이에요
pay-promised-closed = 지금은 모두 쉬는 시간이라 내실 수 없어요. { $opens }부터 다시 내실 수 있고, 그때 문자로 알려 드릴게요. { $until }까지는 연체가산금도 정지도 없어요.
    .title = { $opens }부터 내실 수 있어요
pay-promised-deposit = 그때까지 정지되지 않아요. 들어오면 바로 납부되고 문자로 알려 드려요.
    .title = { $until }까지 기다릴게요
pay-promised-debit = { $debit_day }에 { $debit }이 자동이체돼요. 그날 은행이 닫기 전까지 계좌에 있으면 돼요. 결과는 { $until }까지 문자로 알려 드릴게요. 그때까지 정지되지 않아요. 그 전에 다른 방법으로 내셔도 돼요. 두 번 빠지면 저희가 알아서 돌려 드려요.
    .title = 자동이체를 맡겼어요
pay-promised-unknown = 다시 결제하지 마세요. { $until }까지 결과를 확인해서 문자로 알려 드릴게요. 그때까지 정지되지 않아요.
    .title = 결과를 문자로 알려 드릴게요

## 들어오기

enter-code = 문자에 있는 여섯 자리 번호를 적으시면 요금을 보실 수 있어요.
    .title = 요금 확인하기
    .voice = 문자에 있는 여섯 자리 번호를 넣으시면 요금을 들으실 수 있어요.
enter-code-field-phone = 휴대전화 번호
    .hint = 예: 010-1234-5678
enter-code-field-code = 여섯 자리 번호
    .hint = 예: 482193. 요금을 내실 때까지 쓸 수 있어요.
enter-code-invalid = 전화번호와 여섯 자리 숫자를 모두 적어 주세요.
    .voice = 전화번호와 여섯 자리 숫자가 모두 있어야 해요.
enter-code-note-unknown = 전화번호와 여섯 자리 번호가 맞지 않아요. 가장 최근에 받은 문자를 봐 주세요.
    .voice = 전화번호와 여섯 자리 번호가 맞지 않아요. 가장 최근에 받은 문자를 봐 주세요.
enter-code--submit = 확인하기
enter-code--send_again = 번호를 다시 받을게요
enter-code--person = 상담원과 이야기할게요

enter-expired = 요금은 그대로 확인하실 수 있어요.
    .title = 이 링크는 이제 쓸 수 없어요
enter-expired--send_again = 새 링크를 문자로 받을게요
enter-expired--code = 여섯 자리 번호로 들어갈게요
enter-expired--person = 상담원과 이야기할게요

enter-number = 문자로 새 번호를 보내 드려요.
    .title = 어느 번호로 보내 드릴까요?
enter-number-field-phone = 휴대전화 번호
    .hint = 예: 010-1234-5678
enter-number-invalid = 휴대전화 번호를 적어 주세요. 예: 010-1234-5678
    .voice = 휴대전화 번호여야 해요. 공일공부터 넣어 주세요.
enter-number--submit = 문자 받기
enter-number--back = 돌아가기

enter-sent = 내실 요금이 있는 번호라면 1분 안에 문자가 가요. 오지 않으면 저희가 전화드릴 수 있어요.
    .title = 문자를 보냈어요
enter-sent--again = 여섯 자리 번호 적기
    .voice = 여섯 자리 번호 넣기
enter-sent--person = 문자가 안 와요. 전화해 주세요

enter-help = 지금은 여기서 바로 들어가실 수 없어요. 번호를 남기시면 저희가 전화드려요. 114나 { $call }로 거셔도 돼요.
    .title = 다른 길이 있어요
enter-help--person = 전화해 주세요
enter-help--again = 여섯 자리 번호 다시 적기
    .voice = 여섯 자리 번호 다시 넣기

enter-callback = 기다리지 않으셔도 돼요. 저희가 전화드려요.
    .title = 언제 전화드릴까요?
enter-callback-field-phone = 전화 받으실 번호
    .hint = 다른 번호도 괜찮아요. 예: 010-1234-5678
enter-callback-field-when = 편한 때
enter-callback-field-when--soonest = 가장 빠른 때
enter-callback-field-when--morning = 오전
enter-callback-field-when--afternoon = 오후
enter-callback-field-when--evening = 저녁
enter-callback-invalid = 전화 받으실 번호를 적고 편한 때를 골라 주세요.
    .voice = 전화 받으실 번호를 다시 넣어 주세요.
enter-callback--submit = 전화해 주세요
enter-callback--back = 돌아가기

enter-promised-ticket = { $until }까지 전화드릴게요. 내실 요금이 있는 번호라면 이야기 나눌 때까지 정지되지 않아요.
    .title = 저희가 전화드려요

## 전화

voice-cost = 이 통화에는 거신 전화의 요금제에 따라 통화료가 들어요.
voice-welcome = { $carrier }이에요.
voice-bill = 요금 듣고 내기
voice-callback = 상담원이 지금 거신 번호로 전화드릴게요. { $until }까지요.
voice-language = For English
voice-option = { $what }, { $key }번.
voice-keys = 상담원은 영번, 앞으로는 우물정자, 다시 들으시려면 별표예요.
voice-hash = 마치시면 우물정자를 넣어 주세요.
voice-this-number = 지금 거신 번호
voice-other-number = 다른 번호
voice-silence = 아직 번호를 듣지 못했어요.
voice-no-such-key = 그 번호는 없어요.
voice-too-long = 숫자가 너무 길어요.
voice-working = 처리하고 있어요. 끊지 말고 잠깐만 계셔 주세요.
voice-moved = 휴대폰에서 다음으로 넘어갔어요.
voice-by-screen = 이어지는 것은 휴대폰에서 하실 수 있어요. 문자로 길을 보내 드릴까요?
voice-elsewhere = 지금 전화로 낼 수 있는 방법은 멈췄어요. 휴대폰이나 컴퓨터에서는 지금 되는 방법이 있어요. { $ways }.
voice-not-now = 지금은 낼 수 있는 방법이 없어요. 상담원에게 말씀해 주세요.
voice-text-me = 문자로 받기
voice-texted = 문자를 보내 드려요. 문자를 여시고 두 숫자, { $number }, 를 넣으시면 휴대폰과 전화가 함께 움직여요. 끊지 말고 계세요. 전화로 그냥 하시려면 일번이에요.
voice-not-joined = 문자가 안 왔다면 전화로 그대로 하실 수 있어요.
voice-joined = 휴대폰이 이어졌어요. 휴대폰에서 하셔도, 전화로 하셔도 돼요.
voice-beside = 휴대폰에서 하시는 동안 여기 있을게요. 다시 들으시려면 별표, 상담원은 영번이에요.
voice-screen = 휴대폰에서 보면서 하기
voice-page = 보시던 곳에 나온 여덟 숫자 넣기
voice-page-code = 여덟 숫자를 넣어 주세요.
voice-page-wrong = 그 숫자로는 찾지 못했어요.
voice-wait-screen = 기다리시면서 휴대폰으로 보시려면, 이번.
voice-wait-paid = { $amount }이 납부됐어요. 그래도 상담원과 이야기하시려면 그대로 계세요. 아니면 끊으셔도 돼요.
voice-wait-done = 기다리지 않기로 하셨어요. 언제든 다시 전화하시면 돼요.
voice-number = { $label }, { $number }. 다시 말씀드릴게요. { $number }.
voice-wait-range = 기다리시는 시간은 { $low }분에서 { $high }분쯤이에요.
voice-wait-place = 앞에 { $ahead }명이 계세요.
voice-wait-unknown = 얼마나 기다리실지 지금은 말씀드릴 수 없어요.
voice-wait-longer = 말씀드린 것보다 오래 걸리고 있어요.
voice-wait-callback = 끊고 저희 전화를 받으시려면, 일번. 자리는 그대로예요.
voice-wait-kept = 앞으로 가시려면 우물정자예요. 전화가 끊겨도 자리는 남아 있어요.
voice-wait-no-callback = 그 번호로는 전화드릴 수 없어요. 그대로 기다리시면 돼요.
voice-wait-closed = 오늘 상담 시간이 끝났어요.
voice-wait-closed-no-callback = 오늘 상담 시간이 끝났어요. { $opens }부터 다시 전화하시면 돼요. 그 번호로는 저희가 전화드릴 수 없어요.
voice-talk-on = 다른 상담원에게 이어 드릴게요. 자리는 그대로예요.
voice-talk-over = 상담이 끝났어요. 중간에 끊긴 거면 일번, 처음으로는 우물정자예요. 끊으셔도 돼요.
voice-we-call = { $carrier }이에요. 전화를 부탁하신 분이면 일번이에요.
voice-we-called-late = 이미 상담원과 이야기하셨거나 필요 없다고 하셨어요. 끊으셔도 돼요.
voice-whisper-known = 본인 확인된 고객이에요.
voice-whisper-stranger = 본인 확인이 안 된 전화예요.
voice-whisper-language = 영어로 말씀해 주세요.
voice-whisper-relay = 손말이음 중계 전화예요.
voice-whisper-bill = 미납 { $amount }.
voice-whisper-lost = 전에 { $number }번 닿지 못했어요.
voice-whisper-gone = 고객이 먼저 끊었어요.
voice-whisper-nobody = 지금 받을 수 있는 분이 없어요.
voice-whisper-vouched = 본인 확인하신 것으로 적었어요.
voice-over = 끊으셔도 돼요.
voice-ours = 저희 쪽에 문제가 생겼어요. 돈은 새로 빠져나가지 않았어요. 상담원에게 이어 드릴게요.
