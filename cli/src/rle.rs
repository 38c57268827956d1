//! `ftuseg rle`: Kaggle's run-length encoding, both ways.

use std::io::Read;
use std::path::PathBuf;

use anyhow::Context;

use ftuseg::mask::{Mask, Rect, rle};
use ftuseg::slide::mask_image::read_mask_image;
use ftuseg_files::whole::replace;

/// The most text that is read from standard input: 1 GiB.
const MAX_TEXT: u64 = 1 << 30;

/// Arguments of `ftuseg rle`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    way: Way,
}

#[derive(Debug, clap::Subcommand)]
enum Way {
    /// Decode an RLE into a picture: 255 where it is set
    Decode {
        /// Width of the image, px
        #[arg(long, value_name = "W")]
        width: u32,
        /// Height of the image, px
        #[arg(long, value_name = "H")]
        height: u32,
        /// The PNG to write
        #[arg(short, long, value_name = "MASK.png")]
        out: PathBuf,
        /// The RLE, or - for standard input
        #[arg(value_name = "RLE", default_value = "-")]
        rle: String,
    },
    /// Print the RLE of a mask image, which is read as `evaluate` reads masks: everything that is not background
    Encode {
        /// The mask: PNG, JPEG or TIFF, as labels, bilevel, with a palette or with transparency
        #[arg(value_name = "MASK.png")]
        mask: PathBuf,
    },
}

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.way {
        Way::Decode {
            width,
            height,
            out,
            rle,
        } => decode(*width, *height, out, rle)?,
        Way::Encode { mask } => {
            say!("{}", rle::encode(&read_mask_image(mask)?.mask));
        }
    }
    Ok(0)
}

fn decode(width: u32, height: u32, out: &std::path::Path, text: &str) -> anyhow::Result<()> {
    let text = if text == "-" {
        let mut text = String::new();
        std::io::stdin()
            .take(MAX_TEXT)
            .read_to_string(&mut text)
            .context("standard input cannot be read")?;
        text
    } else {
        text.to_owned()
    };
    let mask = rle::decode(&text, width, height).context("the RLE does not fit the image")?;
    if u64::from(width) * u64::from(height) > 1 << 32 {
        anyhow::bail!("an image of more than 4 billion px is too large");
    }
    if std::fs::metadata(out).is_ok_and(|meta| !meta.is_file()) {
        anyhow::bail!(
            "{} exists and is not a file; choose another name",
            out.display()
        );
    }
    replace(out, |to| {
        write_png(&mask, to).map_err(std::io::Error::other)
    })?;
    Ok(())
}

/// Writes a mask as a grey PNG, some rows at a time.
fn write_png(mask: &Mask, out: &mut dyn std::io::Write) -> Result<(), png::EncodingError> {
    const ROWS: u32 = 64;
    let (width, height) = (mask.width(), mask.height());
    let mut encoder = png::Encoder::new(out, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer()?;
    for y in (0..height).step_by(ROWS as usize) {
        let rows = Rect {
            x: 0,
            y,
            width,
            height: ROWS.min(height - y),
        };
        let mut grey = vec![0; width as usize * rows.height as usize];
        mask.read_block(rows, 0, 255, &mut grey, width as usize)
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        std::io::Write::write_all(&mut stream, &grey)?;
    }
    stream.finish()?;
    writer.finish()
}
