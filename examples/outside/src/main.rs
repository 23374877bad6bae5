//! `tickets ADDRESS TICKET...`

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let address = args.next().ok_or("usage: tickets ADDRESS TICKET...")?;
    let server = tickets::start(address.parse()?, args.collect())?;
    println!("play rtmp://{}/live/NAME?ticket=TICKET", server.rtmp()[0]);
    server.join();
    Ok(())
}
