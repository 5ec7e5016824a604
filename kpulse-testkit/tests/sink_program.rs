//! The program: says where it is, says what arrives, stops when asked.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

fn start(arguments: &[&str]) -> Child {
    let mut program = Command::new(env!("CARGO_BIN_EXE_echo-sink"));
    program.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn lines(program: &mut Child) -> Lines<BufReader<ChildStdout>> {
    BufReader::new(program.stdout.take().unwrap()).lines()
}

#[cfg(unix)]
#[test]
fn a_message_is_told_on_one_line_and_sigterm_ends_it_well() {
    let mut program = start(&["--listen", "127.0.0.1:0"]);
    let mut said = lines(&mut program);
    let url = said.next().unwrap().unwrap();
    let addr = url.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();

    let mut stream = TcpStream::connect(addr).unwrap();
    let body = r#"{"text":"🔴 *api* \u001b[2J down\nmore"}"#;
    write!(
        stream,
        "POST /slack HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    let line = said.next().unwrap().unwrap();
    assert!(line.ends_with("slack · critical 🔴 api [2J down"), "{line:?}");

    assert!(Command::new("kill").arg(program.id().to_string()).status().unwrap().success());
    assert!(program.wait().unwrap().success());
}

#[test]
fn a_wrong_option_is_named_with_the_right_ones() {
    let program = start(&["--lisen", "x"]).wait_with_output().unwrap();
    let said = String::from_utf8(program.stderr).unwrap();
    assert_eq!(program.status.code(), Some(2));
    assert!(said.contains("--lisen is no option") && said.contains("--listen ADDRESS"), "{said}");
}

#[test]
fn an_address_that_cannot_be_had_is_named() {
    let program = start(&["--listen=256.0.0.1:1"]).wait_with_output().unwrap();
    let said = String::from_utf8(program.stderr).unwrap();
    assert_eq!(program.status.code(), Some(2));
    assert!(said.contains("cannot listen on 256.0.0.1:1"), "{said}");
}
