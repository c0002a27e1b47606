# What customers call the methods of paying; every text that names one takes it from here.
way-card = 카드
way-transfer = 실시간 계좌이체
