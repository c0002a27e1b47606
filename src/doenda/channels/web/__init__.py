"""The web channel: plain HTML forms, POST-redirect-GET, no script, no cookie; the same on a phone and a PC."""
