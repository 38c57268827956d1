//! Stains: which colours a slide's tissue takes, and how dyes mix to a colour.
//!
//! Colours come from amounts of three dyes by the law of absorption: each dye takes its share of the
//! light away. Most slides imitate antibody stains (blue haematoxylin, brown DAB), some the routine stain
//! (purple haematoxylin, pink eosin).

use super::noise::{Stream, exp_minus};

/// Amounts of haematoxylin, DAB and eosin; 1 is a strongly stained nucleus, cytoplasm, muscle.
pub(super) type Dye = [f32; 3];

/// `dye` times `factor`.
#[inline(always)]
pub(super) fn thinned(dye: Dye, factor: f32) -> Dye {
    dye.map(|amount| amount * factor)
}

/// From `a` at `t` = 0 to `b` at `t` = 1.
#[inline(always)]
pub(super) fn blend(a: Dye, b: Dye, t: f32) -> Dye {
    [
        a[0] + (b[0] - a[0]) * t,
        a[1] + (b[1] - a[1]) * t,
        a[2] + (b[2] - a[2]) * t,
    ]
}

/// The look of one slide.
#[derive(Debug, Clone)]
pub(super) struct Style {
    /// Red, green, blue of bare glass, 0 to 255.
    glass: [f32; 3],
    /// For each dye, the light it takes from red, green and blue.
    absorb: [[f32; 3]; 3],
    pub stroma: Dye,
    pub epithelium: Dye,
    /// Cytoplasm of blood-forming and immune cells.
    pub immune: Dye,
    pub blood: Dye,
    pub mucus: Dye,
    /// Nuclei outside of epithelium.
    pub nucleus: Dye,
    pub nucleus_epithelium: Dye,
    /// How the lamp's light falls off: change a slide's side, in red, green and blue alike.
    pub light: (f32, f32),
}

impl Style {
    /// The look that belongs to `seed`.
    pub(super) fn new(seed: u32) -> Style {
        let mut stream = Stream::new(seed ^ 0x57a1_0000);
        let s = &mut stream;
        let white = s.range(241.0, 248.0);
        let glass = [white, white + s.range(-0.5, 0.8), white - s.range(0.0, 3.0)];
        let light = (s.range(-0.02, 0.02), s.range(-0.02, 0.02));
        let kind = s.range(0.0, 1.0);
        let routine = kind > 0.82;
        let purple = if routine {
            s.range(0.7, 1.0)
        } else {
            s.range(0.0, 0.3)
        };
        let mixed = |blue: f32, violet: f32| blue + (violet - blue) * purple;
        let dark = s.range(0.85, 1.15);
        let bluish = s.range(0.84, 0.97);
        let absorb = [
            [
                mixed(0.93, 0.80) * dark,
                mixed(bluish, 1.05) * dark,
                mixed(0.56, 0.45) * dark,
            ],
            [
                s.range(0.46, 0.56),
                s.range(0.85, 0.94),
                s.range(1.12, 1.30),
            ],
            [
                s.range(0.06, 0.14),
                s.range(0.45, 0.60),
                s.range(0.22, 0.32),
            ],
        ];
        let wash = s.range(0.13, 0.27);
        let nucleus = s.range(0.55, 0.95);
        // A faint violet shade that some antibody slides have.
        let shade = if s.chance(0.65) {
            s.range(0.04, 0.16)
        } else {
            0.0
        };
        // How brown: epithelium, its nuclei, stroma, immune cells.
        let brown = if routine || kind < 0.22 {
            [
                s.range(0.0, 0.10),
                0.0,
                s.range(0.0, 0.03),
                s.range(0.0, 0.05),
            ]
        } else if kind < 0.50 {
            [
                s.range(0.2, 0.7),
                s.range(0.0, 0.2),
                s.range(0.0, 0.10),
                s.range(0.0, 0.25),
            ]
        } else if kind < 0.64 {
            [
                s.range(0.75, 1.2),
                s.range(0.3, 0.8),
                s.range(0.1, 0.4),
                s.range(0.4, 0.9),
            ]
        } else if kind < 0.74 {
            [
                s.range(0.05, 0.25),
                s.range(0.5, 1.1),
                s.range(0.05, 0.2),
                s.range(0.0, 0.2),
            ]
        } else {
            [
                s.range(0.05, 0.3),
                s.range(0.0, 0.2),
                s.range(0.1, 0.35),
                s.range(0.1, 0.6),
            ]
        };
        let pink = if routine { s.range(0.55, 0.95) } else { shade };
        let stroma = if routine {
            [0.08, 0.0, pink * 0.8]
        } else {
            [wash, brown[2], pink]
        };
        let epithelium = if routine {
            [0.17, 0.0, pink * 0.65]
        } else {
            [wash * s.range(0.85, 1.35), brown[0], pink * 0.8]
        };
        Style {
            glass,
            absorb,
            stroma,
            epithelium,
            immune: [if routine { 0.16 } else { wash }, brown[3], pink * 0.6],
            blood: [0.07, 0.12 + brown[2] * 0.5, if routine { 0.9 } else { 0.1 }],
            mucus: [s.range(0.01, 0.07), brown[0] * 0.04, pink * 0.08],
            nucleus: [nucleus, brown[3] * 0.3, pink * 0.2],
            nucleus_epithelium: [nucleus * s.range(0.8, 1.0), brown[1], pink * 0.2],
            light,
        }
    }

    /// The colour, 0 to 255, of glass under these amounts of dye.
    #[inline(always)]
    pub(super) fn colour(&self, dye: Dye) -> [f32; 3] {
        let [h, d, e] = dye;
        let mut colour = [0.0; 3];
        for (channel, place) in colour.iter_mut().enumerate() {
            let taken = h * self.absorb[0][channel]
                + d * self.absorb[1][channel]
                + e * self.absorb[2][channel];
            *place = self.glass[channel] * exp_minus(taken);
        }
        colour
    }

    /// The colour of bare glass, 0 to 255.
    pub(super) fn glass(&self) -> [f32; 3] {
        self.glass
    }
}
