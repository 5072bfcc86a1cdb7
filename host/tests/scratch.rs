#[path = "support/guest.rs"]
#[allow(dead_code)]
mod guest;
#[path = "support/outside.rs"]
#[allow(dead_code)]
mod outside;
use aiagent_host::plugin::*;
use aiagent_host::workspace::*;
use std::time::Instant;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real() {
    let settings = Settings {
        dirs: vec!["/tmp/realplugins".into()],
        cache_dir: Some("/tmp/realcache".into()),
        ..Settings::default()
    };
    let t = Instant::now();
    let rt = Runtime::start(settings.clone()).await.unwrap();
    println!("start {:?}", t.elapsed());
    for l in &rt.catalog().loaded {
        println!("{} {} {} {} imports {}", l.name, l.kind, l.size_bytes, l.contract, l.imports.len());
    }
    for r in &rt.catalog().refused {
        println!("REFUSED {} {} {}", r.file.display(), r.reason, r.remedy);
    }
    drop(rt);
    let t = Instant::now();
    let rt = Runtime::start(settings).await.unwrap();
    println!("warm start {:?}", t.elapsed());
    let world = outside::World::new(outside::Model::Never);
    for i in 0..8 {
        let mut call = world.call();
        let mut tree = Tree::default();
        tree.put(TreePath::parse("test_a.py").unwrap(), Blob::new(b"import unittest\nclass T(unittest.TestCase):\n  def test_x(self):\n    self.assertEqual(1, 2)\n  def test_y(self):\n    pass\n".to_vec()), None).unwrap();
        call.tree = tree;
        call.tests = vec![];
        call.settings = vec![];
        let t = Instant::now();
        let ended = rt.check("check-python", call).await;
        println!(
            "{i} {:?} {:?} {:?}",
            t.elapsed(),
            ended.usage,
            if i == 0 { format!("{:#?}", ended.result) } else { String::new() }
        );
    }
    println!("{:?}", world.lines.lock().unwrap());
    for name in ["adapter-openai", "adapter-anthropic"] {
        if let Ok(a) = rt.adapter(name) {
            use aiagent_host::model::*;
            let s = WireSettings { model: "m".into(), stream: true, extra: vec![] };
            println!("{:?}", a.describe(&s).await);
            let t = Instant::now();
            let r = Request {
                messages: vec![Message { role: Role::User, content: "hi".into() }],
                temperature: None,
                max_tokens: None,
                stop: vec![],
                seed: None,
            };
            println!("{:?} {:?}", a.encode(&r, &s).await, t.elapsed());
            let mut d =
                a.open(200, vec![("content-type".into(), "text/event-stream".into())], &s).await.unwrap();
            println!("{:?}", d.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n").await);
            println!("{:?}", d.finish().await);
        }
    }
    for i in 0..3 {
        let mut call = world.call();
        call.settings = vec![];
        call.wall_left = std::time::Duration::from_millis(200);
        let ended = rt.build("builder", call).await;
        println!("{i} {:?} {:?}", ended.result, ended.usage);
    }
}
