"""Stripe's words in ours (docs.stripe.com/error-codes, /declines/codes, the life of a PaymentIntent).

A word that is not listed is UNKNOWN, whatever its HTTP status (design rule 3): so is every error without a code, 401
apart, and so is 429, since `lock_timeout` may mean that our own earlier request holds the lock.
"""

from doenda.payments.providers.contract import Outcome

STATUSES = {
    "requires_payment_method": Outcome.PENDING,
    "requires_confirmation": Outcome.PENDING,
    "requires_action": Outcome.PENDING,
    "requires_capture": Outcome.PENDING,  # the payer has authorised it; only our capture moves money
    "processing": Outcome.UNKNOWN,  # a method that captures by itself, on its way
    "succeeded": Outcome.PAID,
    "canceled": Outcome.GIVEN_BACK,
}

REFUNDS = {
    "succeeded": Outcome.GIVEN_BACK,
    "pending": Outcome.UNKNOWN,  # may still fail: asked about again under the same key
    "requires_action": Outcome.UNKNOWN,
    "failed": Outcome.REFUSED,
    "canceled": Outcome.REFUSED,
}

# What the payer's bank, or the payer, says: nothing was taken.
_DECLINES = (
    *("card_declined", "authentication_required", "payment_intent_authentication_failure", "expired_card"),
    *("incorrect_cvc", "incorrect_number", "invalid_number", "invalid_cvc", "invalid_expiry_year"),
    *(
        "invalid_expiry_month",
        "processing_error",
        "payment_method_provider_decline",
        "payment_intent_payment_attempt_failed",
    ),
    # decline codes, which come with card_declined and say more
    *("approve_with_id", "call_issuer", "card_not_supported", "card_velocity_exceeded", "currency_not_supported"),
    *("do_not_honor", "do_not_try_again", "duplicate_transaction", "fraudulent", "generic_decline"),
    *("insufficient_funds", "invalid_account", "invalid_amount", "issuer_not_available", "lost_card"),
    *("merchant_blacklist", "new_account_information_available", "no_action_taken", "not_permitted"),
    *("pickup_card", "pin_try_exceeded", "reenter_transaction", "restricted_card", "revocation_of_all_authorizations"),
    *("revocation_of_authorization", "security_violation", "service_not_allowed", "stolen_card"),
    *("stop_payment_order", "testmode_decline", "transaction_not_allowed", "try_again_later"),
    *("withdrawal_count_limit_exceeded",),
)

# Our request or our key: refused before anything could move.
_OURS = (
    *("api_key_expired", "secret_key_required", "testmode_charges_only", "livemode_mismatch", "account_invalid"),
    *("amount_too_small", "amount_too_large", "invalid_charge_amount", "parameter_invalid_integer"),
    *("parameter_invalid_empty", "parameter_invalid_string_empty", "parameter_missing", "parameter_unknown"),
    *("payment_method_unactivated", "payment_method_unexpected_state", "payment_intent_invalid_parameter"),
    *("payment_intent_incompatible_payment_method", "url_invalid", "tls_version_unsupported"),
    *("country_unsupported", "payment_method_invalid_parameter"),
)

CODES = {
    **dict.fromkeys(_DECLINES, Outcome.REFUSED),
    **dict.fromkeys(_OURS, Outcome.OUR_FAULT),
    "HTTP_401": Outcome.OUR_FAULT,  # "no valid API key": documented to do nothing, and comes without a code
    "charge_expired_for_capture": Outcome.EXPIRED,  # the hold is over, about seven days after it was given
    "resource_missing": Outcome.NOT_FOUND,
    "charge_already_refunded": Outcome.REFUSED,
    # May hide an earlier request of ours that did move the money:
    "charge_already_captured": Outcome.UNKNOWN,
    "payment_intent_unexpected_state": Outcome.UNKNOWN,
    "idempotency_key_in_use": Outcome.UNKNOWN,
    "lock_timeout": Outcome.UNKNOWN,
    "rate_limit": Outcome.UNKNOWN,
}

MOVES = frozenset(
    {"charge", "payment", "refund", "payment_refund", "refund_failure", "payment_failure_refund", "adjustment"}
)
"""The kinds of balance transaction that are a customer's money; `adjustment` is a dispute or its end."""

SAYS = {"payment_intent.succeeded": Outcome.PAID}

SCALE = {"ISK": 100, "UGX": 100}
"""Stripe's units are ISO 4217's minor units (KRW: won), but for these, which it counts in hundredths all the same."""
