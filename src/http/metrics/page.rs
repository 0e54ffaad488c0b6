//! Writes metrics one after the other in the text form of Prometheus.

use std::fmt::Error;

use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use crate::recorder::Timings;

/// A page that is being written.
pub(super) struct Page<'a>(pub(super) DescriptorEncoder<'a>);

/// A name of a label and its value.
pub(super) type Label<'a> = (&'static str, &'a str);

impl Page<'_> {
    /// A number that goes up and down.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) -> Result<(), Error> {
        ConstGauge::new(value).encode(self.begin(name, help, MetricType::Gauge)?)
    }

    /// A number that only grows; `_total` is added to its name.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        ConstCounter::new(value).encode(self.begin(name, help, MetricType::Counter)?)
    }

    /// Seconds that only grow; `_total` is added to its name.
    pub(super) fn seconds(&mut self, name: &str, help: &str, value: f64) -> Result<(), Error> {
        ConstCounter::new(value).encode(self.begin(name, help, MetricType::Counter)?)
    }

    /// One gauge for each label.
    pub(super) fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Label<'l>, f64)>,
    ) -> Result<(), Error> {
        let mut metric = self.begin(name, help, MetricType::Gauge)?;
        for (label, value) in rows {
            ConstGauge::new(value).encode(metric.encode_family(&[label])?)?;
        }
        Ok(())
    }

    /// One counter for each set of labels.
    pub(super) fn counters<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = ([Label<'l>; N], u64)>,
    ) -> Result<(), Error> {
        let mut metric = self.begin(name, help, MetricType::Counter)?;
        for (labels, value) in rows {
            ConstCounter::new(value).encode(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// How long something took.
    pub(super) fn timings(
        &mut self,
        name: &str,
        help: &str,
        timings: &Timings,
    ) -> Result<(), Error> {
        histogram(&mut self.begin(name, help, MetricType::Histogram)?, timings)
    }

    /// How long something took, for each label.
    pub(super) fn all_timings<'l>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Label<'l>, &'l Timings)>,
    ) -> Result<(), Error> {
        let mut metric = self.begin(name, help, MetricType::Histogram)?;
        for (label, timings) in rows {
            histogram(&mut metric.encode_family(&[label])?, timings)?;
        }
        Ok(())
    }

    fn begin<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        metric_type: MetricType,
    ) -> Result<MetricEncoder<'s>, Error> {
        self.0.encode_descriptor(name, help, None, metric_type)
    }
}

fn histogram(metric: &mut MetricEncoder<'_>, timings: &Timings) -> Result<(), Error> {
    let buckets = timings.buckets();
    let count = buckets.iter().map(|(_, count)| count).sum();
    metric.encode_histogram::<NoLabelSet>(timings.sum(), count, &buckets, None)
}
