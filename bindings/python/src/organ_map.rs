//! Which organ a slide is, and where.

use ftuseg::Segmentation;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;

/// The cells that were routed, each with the organ that it went to.
#[pyclass(frozen, get_all, module = "ftuseg")]
pub(crate) struct OrganMap {
    /// uint8 `[rows, columns]`: for each cell a place in `names`.
    cells: Py<PyArray2<u8>>,
    /// "glass", and then the organs, the one with the largest share of the tissue first.
    names: Vec<&'static str>,
    /// The side of a cell, full-size px. Column c begins at px round(c * cell_px).
    cell_px: f64,
}

impl OrganMap {
    pub fn of(py: Python<'_>, segmentation: &Segmentation) -> PyResult<Self> {
        let map = &segmentation.map;
        let grid = map.grid();
        let targets: Vec<_> = map.shares().iter().map(|share| share.target).collect();
        let cells: Vec<u8> = (0..grid.rows())
            .flat_map(|row| (0..grid.columns()).map(move |column| (column, row)))
            .map(|(column, row)| {
                let target = map.at(column, row);
                let place = targets.iter().position(|&one| Some(one) == target);
                // There are eight targets.
                place.map_or(0, |place| place as u8 + 1)
            })
            .collect();
        let shape = [grid.rows() as usize, grid.columns() as usize];
        let cells = PyArray1::from_vec(py, cells).reshape(shape)?;
        let names = targets.iter().map(|target| target.name());
        Ok(OrganMap {
            cells: cells.unbind(),
            names: std::iter::once("glass").chain(names).collect(),
            cell_px: grid.side(),
        })
    }
}

#[pymethods]
impl OrganMap {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shape: (usize, usize) = self.cells.bind(py).getattr("shape")?.extract()?;
        Ok(format!(
            "<ftuseg.OrganMap: {} x {} cells of {} px: {}>",
            shape.1,
            shape.0,
            self.cell_px,
            self.names[1..].join(", ")
        ))
    }
}
