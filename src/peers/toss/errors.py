"""Toss Payments' error codes as its documents list them: HTTP status, Korean and English message."""

from peers.http import Refused

_TEMPORARY = ("일시적인 오류가 발생했습니다. 잠시 후 다시 시도해주세요.", "This is temporary error. Please try again.")
_NOT_DONE = ("결제가 완료되지 않았어요. 다시 시도해주세요.", "Payment has not been completed. Please try again.")
_CARD = ("카드 정보를 다시 확인해주세요.", "Please check the card information again.")
_LIMIT = ("한도를 초과했습니다.", "The limit has been exceeded.")
_NO_FUNDS = ("한도초과 혹은 잔액부족으로 결제에 실패했습니다.", "Payment failed: limit exceeded or lack of funds.")

ERRORS: dict[str, tuple[int, str, str]] = {
    "ALREADY_PROCESSED_PAYMENT": (400, "이미 처리된 결제 입니다.", "This payment has already been processed."),
    "PROVIDER_ERROR": (400, *_TEMPORARY),
    "INVALID_REQUEST": (400, "잘못된 요청입니다.", "The bad request."),
    "INVALID_API_KEY": (400, "잘못된 시크릿키 연동 정보 입니다.", "Incorrect secret key."),
    "INVALID_REJECT_CARD": (
        400,
        "카드 사용이 거절되었습니다. 카드사 문의가 필요합니다.",
        "Refer to card issuer/decline.",
    ),
    "INVALID_STOPPED_CARD": (400, "정지된 카드 입니다.", "This card has been stopped."),
    "INVALID_CARD_EXPIRATION": (400, *_CARD),
    "INVALID_CARD_LOST_OR_STOLEN": (400, "분실 혹은 도난 카드입니다.", "The card is lost or stolen."),
    "BELOW_MINIMUM_AMOUNT": (
        400,
        "신용카드는 결제금액이 100원 이상, 계좌는 200원이상부터 결제가 가능합니다.",
        "Payment can be made from 100 won by credit card, and from 200 won by account.",
    ),
    "EXCEED_MAX_DAILY_PAYMENT_COUNT": (400, *_LIMIT),
    "EXCEED_MAX_PAYMENT_AMOUNT": (400, *_LIMIT),
    "EXCEED_MAX_AMOUNT": (400, *_LIMIT),
    "EXCEED_MAX_DUE_DATE": (400, "가상 계좌의 최대 유효만료 기간을 초과했습니다.", "The due date is too late."),
    "INVALID_BANK": (400, "유효하지 않은 은행입니다.", "The bank is not valid."),
    "DUPLICATED_ORDER_ID": (400, "이미 승인 및 취소가 진행된 중복된 주문번호 입니다.", "Duplicate order ID."),
    "INVALID_IDEMPOTENCY_KEY": (
        400,
        "멱등키는 300자 이하여야 합니다.",
        "An idempotency key has at most 300 characters.",
    ),
    "INVALID_BILL_KEY_REQUEST": (400, "유효하지 않은 빌링 거래 건입니다.", "The billing key is not valid."),
    "ALREADY_CANCELED_PAYMENT": (400, "이미 취소된 결제 입니다.", "This payment has already been cancelled."),
    "INVALID_REFUND_ACCOUNT_INFO": (400, "환불 계좌번호와 예금주명이 일치하지 않습니다.", "Account and holder differ."),
    "INVALID_REFUND_ACCOUNT_NUMBER": (400, "잘못된 환불 계좌번호입니다.", "The account number is not valid."),
    "REFUND_REJECTED": (400, "환불이 거절됐습니다. 결제사에 문의 부탁드립니다.", "The refund was rejected."),
    "FORBIDDEN_BANK_REFUND_REQUEST": (
        400,
        "고객 계좌가 입금이 되지 않는 상태입니다.",
        "The account takes no deposits.",
    ),
    "UNAUTHORIZED_KEY": (
        401,
        "인증되지 않은 시크릿 키 혹은 클라이언트 키 입니다.",
        "Unauthorized secretKey or clientKey.",
    ),
    "REJECT_ACCOUNT_PAYMENT": (403, "잔액부족으로 결제에 실패했습니다.", "Payment failed: lack of funds."),
    "REJECT_CARD_PAYMENT": (403, *_NO_FUNDS),
    "REJECT_CARD_COMPANY": (403, "결제 승인이 거절되었습니다.", "The payment was not approved."),
    "FORBIDDEN_REQUEST": (403, "허용되지 않은 요청입니다.", "Not allowed request."),
    "INCORRECT_BASIC_AUTH_FORMAT": (403, "잘못된 요청입니다. ':' 를 포함해 인코딩해주세요.", "Encode it with ':'."),
    "NOT_AVAILABLE_BANK": (403, "은행 서비스 시간이 아닙니다.", "The bank is closed now."),
    "NOT_MATCHES_CUSTOMER_KEY": (403, "고객키가 일치하지 않습니다.", "The customer key does not match."),
    "FORBIDDEN_CONSECUTIVE_REQUEST": (403, "반복적인 요청은 허용되지 않습니다.", "Repeated requests are not allowed."),
    "NOT_CANCELABLE_AMOUNT": (403, "취소 할 수 없는 금액 입니다.", "This amount cannot be cancelled."),
    "NOT_CANCELABLE_PAYMENT": (403, "취소 할 수 없는 결제 입니다.", "This payment cannot be cancelled."),
    "NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT": (
        403,
        "입금 대기중인 결제는 부분 환불이 불가합니다.",
        "What waits for its deposit cannot be cancelled in part.",
    ),
    "NOT_FOUND_PAYMENT": (404, "존재하지 않는 결제 정보 입니다.", "Not found payment."),
    "NOT_FOUND_PAYMENT_SESSION": (
        404,
        "결제 시간이 만료되어 결제 진행 데이터가 존재하지 않습니다.",
        "The payment session does not exist because it has expired.",
    ),
    "NOT_FOUND": (404, "존재하지 않는 정보 입니다.", "Not found."),
    "IDEMPOTENT_REQUEST_PROCESSING": (
        409,
        "이전 멱등 요청이 처리중입니다.",
        "The previous idempotent request is being processed.",
    ),
    "TOO_MANY_REQUESTS": (429, "요청이 너무 많습니다.", "Too many requests."),
    "FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING": (500, *_NOT_DONE),
    "FAILED_INTERNAL_SYSTEM_PROCESSING": (500, *_TEMPORARY),
    "UNKNOWN_PAYMENT_ERROR": (500, "결제에 실패했어요.", "The payment failed."),
}


def no(code: str, detail: str = "", *, kept: bool = True) -> Refused:
    """The refusal with this code; one that is not listed here is HTTP 400. `detail` stands in place of the message."""
    return Refused(ERRORS.get(code, (400,))[0], code, detail, kept=kept)


def message(code: str, lang: str) -> str:
    """The documented words of a code."""
    known = ERRORS.get(code)
    return (known[2] if lang == "en" else known[1]) if known else code
