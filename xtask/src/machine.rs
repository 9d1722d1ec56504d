//! Installing what a machine lacks. What is installed is printed first; what cannot be had is an
//! error that says what to do, never a test that is silently left out.

use anyhow::{Context, Result, bail};

use crate::shell;

/// Something the tests need, how to see whether it is there, and Debian's package for it.
struct Need {
    what: &'static str,
    probe: (&'static str, &'static [&'static str]),
    packages: &'static [&'static str],
}

const NEEDS: [Need; 4] = [
    Need {
        what: "a C and C++ compiler (SQLite, zstd, libFuzzer)",
        probe: ("c++", &["--version"]),
        packages: &["build-essential"],
    },
    Need {
        what: "Python 3 with venv (official SDKs of Stripe, Slack, Standard Webhooks)",
        probe: ("python3", &["-c", "import ensurepip, venv"]),
        packages: &["python3", "python3-venv"],
    },
    Need {
        what: "Node.js (official SDK of GitHub's octokit)",
        probe: ("node", &["--version"]),
        packages: &["nodejs"],
    },
    Need { what: "npm", probe: ("npm", &["--version"]), packages: &["npm"] },
];

/// Installs Debian packages for what is missing.
pub(crate) fn prepare() -> Result<()> {
    let missing: Vec<&Need> =
        NEEDS.iter().filter(|need| !shell::succeeds(need.probe.0, need.probe.1)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    for need in &missing {
        println!("missing: {}", need.what);
    }
    println!("installing with apt-get: {}", packages.join(" "));
    if !shell::succeeds("apt-get", &["--version"]) {
        bail!("apt-get is not here; install these by hand: {}", packages.join(" "));
    }
    apt(&["update", "-qq"])?;
    apt(&[&["install", "-y", "-qq", "--no-install-recommends"], packages.as_slice()].concat())?;
    for need in missing {
        if !shell::succeeds(need.probe.0, need.probe.1) {
            bail!("{} is still missing after installing {}", need.what, need.packages.join(" "));
        }
    }
    Ok(())
}

fn apt(arguments: &[&str]) -> Result<()> {
    let root = shell::output(std::process::Command::new("id").arg("-u"))? == "0";
    let done = if root {
        shell::run("apt-get", arguments)
    } else {
        shell::run("sudo", &[&["apt-get"], arguments].concat())
    };
    done.context("installing needs root or sudo, and Debian's package servers")
}

/// Installs a cargo tool unless it is there.
pub(crate) fn cargo_tool(subcommand: &str, package: &str) -> Result<()> {
    if shell::succeeds("cargo", &[subcommand, "--version"]) {
        return Ok(());
    }
    println!("missing: cargo {subcommand}; installing {package} from crates.io");
    shell::run("cargo", &["install", package, "--locked"])
}
