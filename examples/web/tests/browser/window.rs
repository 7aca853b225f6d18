//! A browser window with a profile of its own: cookies of one are not those of another. It waits for what it is asked for, and what the
//! console said is kept, so that a page that breaks its own security policy is noticed.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

#[derive(Debug)]
pub(crate) struct Window {
    // First, so that the browser is ended before its driver is.
    driver: WebDriver,
    origin: String,
    _chromedriver: Chromedriver,
}

impl Window {
    /// On the pages of the service at `address`.
    pub(crate) async fn open(address: &str, scripts: Scripts) -> Self {
        let chromedriver = Chromedriver::start();
        let driver = WebDriver::new(&chromedriver.url, capabilities(scripts)).await.expect("Chromium can be started");
        let window = Self { driver, origin: format!("http://{address}"), _chromedriver: chromedriver };
        window.resize(1280, 1000, "light").await;
        window
    }

    /// As a device of this size, in CSS pixels, with this colour scheme.
    pub(crate) async fn resize(&self, width: u32, height: u32, scheme: &str) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await.expect("it can be resized");
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", scheme).await.expect("it has colour schemes");
    }

    pub(crate) async fn goto(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.origin)).await.expect("the page can be loaded");
    }

    pub(crate) async fn path(&self) -> String {
        self.driver.current_url().await.expect("it is somewhere").path().to_owned()
    }

    /// The first element of this selector, as soon as it is there.
    pub(crate) async fn find(&self, css: &str) -> WebElement {
        let query = self.driver.query(By::Css(css)).wait(PATIENCE, Duration::from_millis(50));
        match query.first().await {
            Ok(element) => element,
            Err(error) => {
                let page = self.driver.source().await.unwrap_or_default();
                panic!("no {css} on {}: {error}\n{page}", self.path().await)
            }
        }
    }

    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap_or_else(|error| panic!("{css} can be clicked: {error}"));
    }

    pub(crate) async fn enter(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("it can be cleared");
        field.send_keys(text).await.expect("it can be typed into");
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.expect("it has a text")
    }

    /// What a script of the test finds out.
    pub(crate) async fn asked(&self, script: &str) -> Value {
        self.driver.execute(script, vec![]).await.expect("the script runs").json().clone()
    }

    /// Until the script returns true.
    pub(crate) async fn until(&self, script: &str) {
        let begun = std::time::Instant::now();
        while self.asked(script).await != json!(true) {
            assert!(begun.elapsed() < PATIENCE, "{script} on {}", self.path().await);
            tokio::task::yield_now().await;
        }
    }

    /// Of what can be seen.
    pub(crate) async fn screenshot(&self, name: &str) {
        let picture = screenshots().join(format!("{name}.png"));
        self.driver.screenshot(&picture).await.expect("the directory can be written to");
    }

    /// What the console has said since it was last asked: errors of scripts, and what the security policy has blocked.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let said = self.driver.get_log("browser").await.expect("the console is kept");
        said.into_iter().map(|entry| entry.message).collect()
    }

    pub(crate) async fn close(self) {
        self.driver.quit().await.expect("the browser ends");
    }
}

/// More than anything takes, on a machine that has other things to do too.
const PATIENCE: Duration = Duration::from_secs(30);

fn capabilities(scripts: Scripts) -> ChromeCapabilities {
    let mut chrome = DesiredCapabilities::chrome();
    for flag in FLAGS {
        chrome.add_arg(flag).expect("a flag is a text");
    }
    if scripts == Scripts::Off {
        let off = json!({ "profile.managed_default_content_settings.javascript": 2 });
        chrome.add_experimental_option("prefs", off).expect("it is an object");
    }
    chrome.set_browser_log_level(LoggingPrefsLogLevel::All).expect("it is a level");
    chrome
}

/// Without a screen, also as root in a container, and without asking anybody for anything.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The process between us and the browser.
#[derive(Debug)]
struct Chromedriver {
    child: Child,
    url: String,
}

impl Chromedriver {
    fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver is installed: apt-get install chromium chromium-driver");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let port =
            lines.into_iter().find_map(|line| Some(line.split("successfully on port ").nth(1)?.replace('.', "")));
        Self { child, url: format!("http://127.0.0.1:{}", port.expect("it says where it listens")) }
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

fn screenshots() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target directory");
    let directory = env::var_os("SCREENSHOTS").map_or_else(|| target.join("screenshots"), PathBuf::from);
    fs::create_dir_all(&directory).expect("the directory can be made");
    directory
}
