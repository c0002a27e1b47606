"""What Asterisk is told: ARI, SIP on loopback, and a dialplan that holds callers while the application is away.

`extensions` is the part that a carrier's own Asterisk needs: a caller whose application does not answer hears music and
is offered to it again every two seconds, for as long as it takes. Nothing in it hangs up on anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_MODULES = """
res_timing_timerfd res_sorcery_config res_sorcery_memory res_sorcery_astdb res_http_websocket res_websocket_client
codec_ulaw codec_alaw codec_resample format_wav format_pcm format_sln bridge_simple bridge_softmix bridge_holding
bridge_native_rtp bridge_builtin_features bridge_builtin_interval_features chan_bridge_media res_musiconhold
res_rtp_asterisk res_pjproject res_pjsip res_pjsip_session res_pjsip_pubsub res_pjsip_sdp_rtp
res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user res_pjsip_authenticator_digest res_pjsip_registrar
res_pjsip_caller_id res_pjsip_dtmf_info res_pjsip_rfc3326 res_pjsip_logger chan_pjsip func_channel func_callerid
func_strings pbx_config app_stasis app_dial app_playback app_echo res_stasis res_stasis_answer res_stasis_playback
res_stasis_recording res_stasis_snoop res_stasis_device_state res_ari res_ari_model res_ari_applications
res_ari_asterisk res_ari_bridges res_ari_channels res_ari_device_states res_ari_endpoints res_ari_events
res_ari_playbacks res_ari_recordings res_ari_sounds
"""
_EMPTY = """
features stasis cdr cel ccss udptl pjproject sorcery acl manager cli_permissions websocket_client dnsmgr codecs
"""
ONE_MOMENT = "doenda/one-moment"
"""The words of the first minute without the application, under `sounds/LANGUAGE/` (in the carrier's own voice)."""
VARIABLES = ("DOENDA_SESSION",)
"""Channel variables that come with every event: the session that a call walks."""


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that the files differ by."""

    folder: Path
    modules: Path
    app: str
    user: str
    password: str
    trunk: str
    agent: str
    sip_port: int
    http_port: int
    rtp: tuple[int, int]


def files(told: Told) -> Mapping[str, str]:
    """Each file of Asterisk's `etc` by its name."""
    made = {f"{name}.conf": "" for name in _EMPTY.split()}
    modules = "".join(f"load = {name}.so\n" for name in _MODULES.split())
    return made | {
        "asterisk.conf": _asterisk(told),
        "modules.conf": f"[modules]\nautoload = no\n{modules}",
        "logger.conf": "[general]\ndateformat = %F %T.%3q\n[logfiles]\nconsole => notice,warning,error\n",
        "http.conf": (
            f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {told.http_port}\nsessionlimit = 1000\n"
        ),
        "ari.conf": (
            f"[general]\nenabled = yes\nwebsocket_write_timeout = 1000\nchannelvars = {','.join(VARIABLES)}\n"
            f"[{told.user}]\ntype = user\nread_only = no\npassword_format = plain\npassword = {told.password}\n"
        ),
        "rtp.conf": f"[general]\nrtpstart = {told.rtp[0]}\nrtpend = {told.rtp[1]}\nicesupport = no\nstrictrtp = yes\n",
        "musiconhold.conf": f"[default]\nmode = files\ndirectory = {told.folder}/data/moh\n",
        "indications.conf": _INDICATIONS,
        "pjsip.conf": _pjsip(told),
        "extensions.conf": extensions(told.app),
    }


def extensions(app: str) -> str:
    """The dialplan: callers and agents' phones; and, while nobody answers for the application, words once and music.

    There is no way out of it but the caller's own hanging up, or the application's. `FILTER`: what was dialled is a
    stranger's text. `Wait` paces it even where the music is missing.
    """
    return f"""[from-carrier]
exten => _[+*#0-9A-Za-z]!,1,Set(DOENDA_FROM=inbound)
 same => n,Set(DOENDA_DIALLED=${{FILTER(+*#0-9A-Za-z,${{EXTEN}})}})
 same => n,Goto(doenda,call,1)
[from-agent]
exten => _[+*#0-9A-Za-z]!,1,Set(DOENDA_FROM=agent)
 same => n,Set(DOENDA_DIALLED=${{FILTER(+*#0-9A-Za-z,${{EXTEN}})}})
 same => n,Goto(doenda,call,1)
[doenda]
exten => call,1,Stasis({app},${{DOENDA_FROM}},${{DOENDA_DIALLED}})
 same => n,Answer()
 same => n,Playback({ONE_MOMENT})
 same => n(held),StartMusicOnHold()
 same => n,Wait(2)
 same => n,StopMusicOnHold()
 same => n,Stasis({app},${{DOENDA_FROM}},${{DOENDA_DIALLED}},held)
 same => n,Goto(held)
"""


def _asterisk(told: Told) -> str:
    at = told.folder
    return f"""[directories]
astetcdir => {at}/etc
astmoddir => {told.modules}
astvarlibdir => {at}/lib
astdbdir => {at}/db
astkeydir => {at}/keys
astdatadir => {at}/data
astagidir => {at}/data
astspooldir => {at}/spool
astrundir => {at}/run
astlogdir => {at}/log
[options]
verbose = 1
nocolor = yes
defaultlanguage = ko
"""


def _pjsip(told: Told) -> str:
    return f"""[global]
type = global
endpoint_identifier_order = ip,username
[system]
type = system
timer_t1 = 100
timer_b = 6400
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{told.sip_port}
[phone](!)
type = endpoint
transport = udp
context = from-carrier
disallow = all
allow = ulaw,alaw
direct_media = no
media_address = 127.0.0.1
bind_rtp_to_media_address = yes
rtp_symmetric = yes
dtmf_mode = auto_info
[trunk](phone)
aors = trunk
[trunk]
type = aor
contact = sip:{told.trunk}
[trunk]
type = identify
endpoint = trunk
match = 127.0.0.1/32
[agent](phone)
context = from-agent
aors = agent
[agent]
type = aor
contact = sip:agent@{told.agent}
[agent]
type = identify
endpoint = agent
match = 127.0.1.1/32
"""


_INDICATIONS = """[general]
country = us
[us]
description = us
ringcadence = 2000,4000
dial = 350+440
busy = 480+620/500,0/500
ring = 440+480/2000,0/4000
congestion = 480+620/250,0/250
"""
