# What customers call the methods of paying; every text that names one takes it from here.
way-card = 카드
way-transfer = 실시간 계좌이체
way-deposit = 가상계좌 입금
way-debit = 자동이체
way-billing = 등록한 카드
way-store = 매장 납부
way-text = 문자 안내
way-person = 상담 전화
way-cash = 매장 현금 납부
# $method: one of the names above; $when: a time of day, or a day with its time.
way-opens-again = { $method }: { $when }부터 다시 돼요
