//! Charts as PNG, for documents and services that take no SVG.
//!
//! The SVG itself is rasterised, so that both look alike, in a typeface that the program brings
//! along: the same chart gives the same pixels wherever it is rendered, on paper colours.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Pixels of the picture per pixel of the chart: sharp in print and on dense screens.
const SCALE: f32 = 2.0;

/// Reading it takes longer than drawing a chart.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// The picture of a chart's SVG.
pub(super) fn of(svg: &str) -> Vec<u8> {
    let options = Options {
        fontdb: FONTS.clone(),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).expect("charts are well-formed SVG");
    let size = tree.size().to_int_size().scale_by(SCALE);
    let size = size.expect("charts are some hundred pixels wide");
    let mut picture = Pixmap::new(size.width(), size.height()).expect("charts fit the memory");
    let scale = Transform::from_scale(SCALE, SCALE);
    resvg::render(&tree, scale, &mut picture.as_mut());
    picture.encode_png().expect("memory takes every byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SVG: &str = "<svg width=\"40\" height=\"20\" xmlns=\"http://www.w3.org/2000/svg\">\
        <rect x=\"0\" y=\"0\" width=\"40\" height=\"20\" fill=\"#FFFFFF\"/>\
        <text x=\"2\" y=\"15\" font-family=\"sans-serif\" font-size=\"16\">W</text></svg>";

    #[test]
    fn pictures_are_twice_the_size_and_have_text() {
        let picture = Pixmap::decode_png(&of(SVG)).unwrap();
        assert_eq!((picture.width(), picture.height()), (80, 40));
        // A capital W of 16 px, twice as large: DejaVu Sans has it 0.989 em wide and 0.729 high,
        // so 32 x 23 px, of which strokes take between a tenth and a half.
        let dark = picture
            .pixels()
            .iter()
            .filter(|pixel| pixel.red() < 128)
            .count();
        assert!((73..=369).contains(&dark), "{dark}");
    }

    #[test]
    fn the_same_chart_gives_the_same_bytes() {
        assert_eq!(of(SVG), of(SVG));
    }
}
