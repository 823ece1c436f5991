use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;

/// Asterisk's configuration files: name and text. `home` is its folder, as it is called within its root.
pub(super) fn files(
    home: &Path,
    address: Ipv4Addr,
    certificate: &str,
    key: &str,
) -> Vec<(&'static str, String)> {
    let home = home.display();
    let directories = format!(
        "[directories]\nastetcdir => {home}/etc\nastmoddir => /usr/lib/asterisk/modules\n\
         astvarlibdir => {home}/lib\nastdbdir => {home}/lib\nastkeydir => {home}/lib\n\
         astdatadir => /usr/share/asterisk\nastagidir => {home}/lib\nastspooldir => {home}/spool\n\
         astrundir => {home}/run\nastlogdir => {home}/log\n[options]\nverbose = 2\n"
    );
    let http = format!(
        "[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport=8088\ntlsenable=yes\ntlsbindaddr={address}:5065\n\
         tlscertfile={certificate}\ntlsprivatekey={key}\n"
    );
    let manager = format!(
        "[general]\nenabled=yes\nbindaddr={address}\nport=5038\n\
         [judge]\nsecret=judge\nread=all\nwrite=all\nwritetimeout=5000\n"
    );
    let mut mailboxes = "[general]\nformat=wav\nminsecs=1\nmaxsilence=0\n[default]\n".to_owned();
    for user in USERS {
        let _ = writeln!(mailboxes, "{user} => 1234,User {user}");
    }
    vec![
        ("asterisk.conf", directories),
        ("modules.conf", MODULES.to_owned()),
        ("logger.conf", "[general]\n[logfiles]\nconsole => notice,warning,error,verbose\n".to_owned()),
        ("pjsip.conf", pjsip(address, certificate, key)),
        ("http.conf", http),
        ("manager.conf", manager),
        ("rtp.conf", "[general]\nrtpstart=31000\nrtpend=31999\nstrictrtp=no\n".to_owned()),
        ("voicemail.conf", mailboxes),
        ("res_parking.conf", PARKING.to_owned()),
        ("features.conf", "[general]\n".to_owned()),
        ("musiconhold.conf", format!("[default]\nmode=files\ndirectory={home}/lib\n")),
        ("extensions.conf", EXTENSIONS.replace("@HOME@", &home.to_string())),
    ]
}

const USERS: std::ops::RangeInclusive<u16> = 2001..=2009;
/// The user who may speak more than G.711 µ-law.
const POLYGLOT: u16 = 2009;

fn pjsip(address: Ipv4Addr, certificate: &str, key: &str) -> String {
    let mut text = format!(
        "[global]\ntype=global\nendpoint_identifier_order=auth_username,username\n\
         [udp]\ntype=transport\nprotocol=udp\nbind={address}:5060\n\
         [tcp]\ntype=transport\nprotocol=tcp\nbind={address}:5063\n\
         [tls]\ntype=transport\nprotocol=tls\nbind={address}:5061\nmethod=tlsv1_2\ncert_file={certificate}\n\
         priv_key_file={key}\n\
         [wss]\ntype=transport\nprotocol=wss\nbind={address}\n"
    );
    for user in USERS {
        let codecs = if user == POLYGLOT { "ulaw,alaw,g722" } else { "ulaw" };
        let _ = write!(
            text,
            "[{user}]\ntype=endpoint\ncontext=office\nsubscribe_context=office\ndisallow=all\nallow={codecs}\n\
             auth={user}\naors={user}\ndirect_media=no\nrewrite_contact=yes\nforce_rport=yes\nrtp_symmetric=yes\n\
             callerid=User {user} <{user}>\n\
             [{user}]\ntype=auth\nauth_type=userpass\nusername={user}\npassword=secret-of-{user}\n\
             [{user}]\ntype=aor\nmax_contacts=1\nremove_existing=yes\nmailboxes={user}@default\n"
        );
    }
    text
}

const MODULES: &str = "[modules]
autoload=yes
noload=chan_sip.so
noload=chan_skinny.so
noload=chan_mgcp.so
noload=chan_unistim.so
noload=chan_dahdi.so
noload=chan_alsa.so
noload=chan_console.so
noload=chan_iax2.so
noload=chan_oss.so
noload=chan_ooh323.so
noload=chan_motif.so
noload=chan_phone.so
noload=pbx_dundi.so
noload=pbx_lua.so
noload=pbx_ael.so
noload=res_xmpp.so
noload=res_snmp.so
noload=res_smdi.so
noload=res_phoneprov.so
noload=res_pjsip_phoneprov_provider.so
noload=app_queue.so
noload=res_hep_rtcp.so
noload=res_hep_pjsip.so
noload=res_resolver_unbound.so
noload=app_adsiprog.so
noload=res_adsi.so
noload=cdr_sqlite3_custom.so
noload=cel_sqlite3_custom.so
noload=app_festival.so
noload=app_voicemail_imap.so
noload=app_voicemail_odbc.so
noload=cdr_pgsql.so
noload=cel_pgsql.so
noload=cdr_odbc.so
noload=cel_odbc.so
noload=cdr_radius.so
noload=cel_radius.so
noload=cdr_tds.so
noload=cel_tds.so
noload=res_config_ldap.so
noload=res_config_pgsql.so
noload=res_config_odbc.so
";

const PARKING: &str = "[general]
[default]
parkext => 700
parkpos => 701-720
context => parked
parkingtime => 300
findslot => next
";

const EXTENSIONS: &str = "[office]
include => parked
exten => 600,1,Answer()
 same => n,Echo()
exten => 601,1,Answer()
 same => n,Read(digits,,4,,1,20)
 same => n,UserEvent(Digits,Digits: ${digits})
 same => n,Hangup()
exten => 602,1,Busy(1)
exten => 603,1,Ringing()
 same => n,Wait(30)
exten => 604,1,Answer()
 same => n,Milliwatt()
exten => 605,1,Answer()
 same => n,MixMonitor(@HOME@/spool/heard.wav,r(@HOME@/spool/received.wav))
 same => n,Wait(600)
exten => 606,1,Answer()
 same => n,UserEvent(Arrived,Caller: ${CALLERID(num)})
 same => n,Wait(600)
exten => 607,1,Answer()
 same => n,MixMonitor(@HOME@/spool/heard.wav16,r(@HOME@/spool/received.wav16))
 same => n,Playback(@HOME@/lib/speech)
 same => n,Wait(600)
exten => 700,1,Park()
exten => _200X,hint,PJSIP/${EXTEN}
exten => _200X,1,Dial(PJSIP/${EXTEN},20)
 same => n,Hangup()
exten => _900X,1,VoiceMail(2${EXTEN:1}@default,s)
 same => n,Hangup()
";
