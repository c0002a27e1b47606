"""Stripe: PaymentIntents, authorised by the payer (a page of Stripe's, or its script on ours), captured by us.

The hold that the payer gives moves no money; it moves when we capture, at `confirm`. May touch: kernel.net.
"""
