bill-class-service = 통신 서비스 이용료
bill-class-roaming = 로밍 이용료
bill-class-device_instalment = 단말기 할부금
bill-class-small_payment = 소액결제
bill-class-content = 콘텐츠 이용료
bill-class-other = 기타
bill-class-late_fee = 연체가산금
