use std::sync::Arc;
use penaxtra_gateway::*;
fn main(){
  let a:Vec<String>=std::env::args().collect();
  let listen:std::net::SocketAddr=a[1].parse().unwrap(); let up:std::net::SocketAddr=a[2].parse().unwrap();
  let io= if a.get(3).map(|s|s=="epoll").unwrap_or(false){config::Io::Epoll}else{config::Io::Auto};
  let shared=Arc::new(shared::Shared::new(1,clock::now(),clock::unix()));
  shared.addresses.publish(vec![up]);
  let ck=rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).unwrap();
  let key=rustls::pki_types::PrivateKeyDer::Pkcs8(ck.signing_key.serialize_der().into());
  let sc=Arc::new(rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![ck.cert.der().clone()],key).unwrap());
  let cc=Arc::new(rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth());
  let doors=net::listen::bind(listen,1).unwrap().into_iter().map(|l| worker::Door{listener:l,plaintext:true}).collect();
  let plan=worker::Plan{index:0,cpu:Some(0),doors,settings:proxy::Settings{timeouts:config::Config::for_upstream(config::Upstream::parse("http://x").unwrap()).timeouts,body_bytes_max:32<<20,via:false,forwarded:false},
   route:upstream::route::Route{authority:up.to_string(),prefix:String::new(),server_name:None},server_tls:sc,client_tls:cc,shared:shared.clone(),connections_max:20000,memory_bytes_max:512<<20,pool_connections_max:1024,seed:7};
  let (d,t)=worker::start(vec![plan],io).unwrap(); eprintln!("{d:?}"); shared.lifecycle.advance(shared::lifecycle::Stage::Serving);
  for t in t { t.join().unwrap() }
}
