### 웹 화면에만 있는 말.

web-fact-paid = 낸 금액 (Paid)
web-fact-when = 낸 때 (Paid on)
web-fact-how = 낸 방법 (Method)
web-fact-receipt = 영수증 번호 (Receipt)
web-fact-bill = 청구서 번호 (Bill)
web-fact-line = 전화번호 (Phone)
web-working = 처리하고 있어요. 몇 초 뒤에 아래를 눌러 주세요. 다시 결제하지 않아도 돼요.
    .title = 처리하고 있어요
web-working--check = 다시 확인하기
web-closed = 결제 화면이 열려 있던 시간이 지났거나 다른 곳에서 결제가 끝났어요. 아래를 누르시면 지금 어디까지 됐는지 보여 드려요.
    .title = 그 결제 화면은 닫혔어요
web-closed--check = 지금 상태 보기
web-see-result = 결과 확인하기
web-shut = 그 번호로 낼 수 있는 시간이 지났거나 다른 방법으로 납부됐어요. 아래를 누르시면 지금 어디까지 됐는지 보여 드려요.
    .title = 그 번호는 이제 쓰지 않아요
web-shut--check = 지금 상태 보기
web-again = 청구서 다시 보기
web-error-title = 지금 이 화면을 보여 드릴 수 없어요
web-error-bad = 이 화면의 내용이 온전하지 않아서 아무것도 하지 않았어요. 돈은 빠져나가지 않았어요. 문자의 링크를 다시 눌러 주세요.
web-error-gone = 이 주소의 화면은 없어요. 문자의 링크를 다시 누르시거나 여섯 자리 번호로 들어와 주세요.
web-error-ours = 저희 쪽에 문제가 생겼어요. 결제하시던 중이었다면 다시 결제하지 마세요. 같은 링크를 다시 누르시면 어디까지 됐는지 보여 드려요.
web-error-again = 처음으로

### 전화와 함께 보는 화면.
web-join = 전화에서 들으신 두 숫자를 적어 주세요. 그러면 전화와 이 화면이 함께 움직여요. 숫자를 못 들으셨으면 전화에서 별표(*)를 눌러 주세요.
    .title = 전화하시던 것을 여기서 이어 볼게요
web-join-digits = 두 숫자
web-join-wrong = 전화에서 들으신 숫자와 달라요. 전화에서 별표(*)를 누르시면 다시 들려 드려요.
web-join--submit = 이어 보기
web-join-over = 이 링크는 한 번만 쓸 수 있고 20분이 지나면 닫혀요. 전화에서 다시 문자를 받으시거나, 아래에서 전화번호와 여섯 자리 번호로 들어와 주세요.
    .title = 이 링크는 닫혔어요
web-join-over--door = 번호로 들어가기
web-beside-together = 전화와 이 화면은 같은 곳에 있어요. 어느 쪽에서 하셔도 함께 넘어가고, 전화가 끊겨도 여기서 이어 하실 수 있어요.
web-beside-range = 상담원까지 { $low }분에서 { $high }분쯤 걸려요.
web-beside-longer = 말씀드린 것보다 오래 걸리고 있어요.
web-beside-unknown = 상담원을 기다리고 있어요. 얼마나 걸릴지 지금은 알 수 없어요.
web-beside-ahead = 앞에 { $ahead }명이 계세요.
web-beside-kept = 기다리시는 동안 아래에서 요금을 보고 내실 수 있어요. 전화가 끊겨도 자리는 남아 있어요.
web-beside-paid = 납부가 끝났어요. 그래도 상담원과 이야기하시려면 그대로 기다리시면 돼요.
web-beside-away = 전화는 끊겼지만 자리는 { $until }까지 남아 있어요. 그때까지 다시 전화하시면 그 자리예요.
web-beside-talking = 상담원과 이어졌어요.
web-beside-callback = { $until }까지 저희가 전화드릴게요. 끊으셔도 자리는 그대로예요.
web-beside-moved = 전화에서 다음으로 넘어갔어요. 적으시던 것은 아직 보내지지 않았어요.
web-beside--call_me = 끊고 전화 받기
web-beside--enough = 이제 그만 기다릴게요
web-beside-to-call = { $call }로 전화해서 4번, 그리고 { $digits }번을 누르시면 이 화면과 전화가 함께 움직여요. 20분 동안 쓸 수 있어요.
web-beside--to_call = 전화하면서 같이 보기
web-beside--check = 지금 상태 보기

### 전화: 프로그램이 쉬는 동안 교환기가 들려주는 말.
voice-one-moment = 잠시만 기다려 주세요. 끊지 않으셔도 돼요. 곧 이어 드릴게요.

### 지금 되는 것과 되지 않는 것.
status-title = 지금 되는 것
    .title = 납부 방법 상황
status-at = { $when } 기준
status-works = 지금 되는 방법: { $ways }
status-no-way = 지금은 요금을 낼 수 있는 방법이 없어요. 그동안 연체가산금도 정지도 없고, 되는 대로 알려 드려요.
status-unknown = 지금 상황을 확인할 수 없어요. 확인되지 않은 방법은 안내하지 않아요.
status-past = 지난 { $days }일 동안의 장애
status-none = 없어요.
status-incident-provider = { $methods } 장애
status-incident-device = 일부 앱·브라우저에서 { $methods } 장애
status-incident-no-way = 되는 방법이 하나도 없는 장애
status-since = 시작
status-detected = 알아차리기까지
status-repaired = 고치기까지
status-customers = 안내받은 고객
status-money = 기다리는 요금
status-lasted = { $minutes ->
        [none] {""}
       *[other] { $minutes }분{" "}
    }{ $seconds }초
status-event-withdrawn = { $method }: 안내를 멈췄어요
status-event-returned = { $method }: 다시 돼요
status-event-no-way = 되는 방법이 없어요
status-event-mended = 모두 고쳤어요
