"""How long callers wait and what they are told: the line's own rules in virtual time, beside others' predictors."""
