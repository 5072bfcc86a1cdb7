//! A model behind TLS: which certificates are believed, seen from the running program.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::test_host::Setup;

/// An authority that the host is told to trust, and nobody else does.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        Self { certificate, issuer: Issuer::new(params, key) }
    }
}

/// TLS in front of a model's server. Stops when dropped.
struct Front {
    address: SocketAddr,
    _server: JoinSet<()>,
}

impl Front {
    async fn start(model: &FakeModel, certificate: rcgen::Certificate, key: KeyPair) -> Self {
        aiagent_host::model::install_tls();
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate and its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let model = model.url().replace("http://", "").replace("/v1", "");
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, model) = (acceptor.clone(), model.clone());
                connections.spawn(async move {
                    // A client that does not believe the certificate hangs up here.
                    let Ok(mut clear) = acceptor.accept(stream).await else { return };
                    let mut inner = TcpStream::connect(model).await.expect("the model's server runs");
                    // Either side may go away first.
                    drop(tokio::io::copy_bidirectional(&mut clear, &mut inner).await);
                });
            }
        });
        Self { address, _server: server }
    }
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).expect("names")
}

#[tokio::test]
async fn only_the_right_name_from_a_trusted_authority_gets_the_key() {
    let ours = Authority::new();
    let mut past = params(&["localhost"]);
    (past.not_before, past.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let cases = [
        ("as it should be", params(&["localhost"]), Some(&ours), "localhost", None),
        ("another name", params(&["other.test"]), Some(&ours), "localhost", Some("not valid for name")),
        (
            "a name for an address",
            params(&["localhost"]),
            Some(&ours),
            "127.0.0.1",
            Some("not valid for name"),
        ),
        ("signed by itself", params(&["localhost"]), None, "localhost", Some("invalid peer certificate")),
        ("of another time", past, Some(&ours), "localhost", Some("expired")),
    ];
    for (name, params, issuer, host, refused) in cases {
        let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
        let key = KeyPair::generate().expect("a key");
        let certificate = match issuer {
            Some(authority) => params.signed_by(&key, &authority.issuer).expect("signed"),
            None => params.self_signed(&key).expect("signed"),
        };
        let front = Front::start(&model, certificate, key).await;
        let setup = Setup::with_model(&model)
            .set("models.default.base_url", format!("https://{host}:{}/v1", front.address.port()))
            .set("models.default.allow", vec!["loopback".to_owned()])
            .set("models.default.key_env", "MODEL_KEY")
            .set("models.default.retries", 0)
            .env("MODEL_KEY", "sk-canary-0123456789");
        let authority = setup.file("authority.pem", ours.certificate.pem());
        let setup = setup.env("SSL_CERT_FILE", &authority.display().to_string());
        let task_host = setup.start().await;
        let id = task_host.submit(&sample::body()).await;
        let reason = task_host.ended(&id).await["outcome"]["reason"].clone();
        match refused {
            None => {
                assert_eq!(reason, json!({ "kind": "green" }), "{name}");
                let authorization = model.asked()[0].authorization.clone();
                assert_eq!(authorization.as_deref(), Some("Bearer sk-canary-0123456789"), "{name}");
            }
            Some(why) => {
                let said = reason.to_string();
                assert!(said.contains("can't be reached") && said.contains(why), "{name}: {said}");
                assert_eq!(model.asked().len(), 0, "{name}");
            }
        }
    }
}
