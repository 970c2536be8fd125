// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Governable} from "./base/Governable.sol";

/// The system temperature and the controller that moves it. Not pausable; governance alone turns it.
contract Thermostat is Governable {
    int256 private constant UNIT = 1e18;

    int256 public systemTemperature;
    int256 public minTemp;
    int256 public maxTemp;
    int256 public kp;
    int256 public ki;
    int256 public kd;
    int256 public integralMin;
    int256 public integralMax;
    int256 public wEmission = 1;
    int256 public wBacklog = 1;
    int256 public wSla = 1;
    int256 private _integral;
    int256 private _lastError;
    mapping(uint8 => int256) private _roleTemperature;

    event TemperatureUpdated(int256 newTemp);
    event RoleTemperatureUpdated(uint8 role, int256 temp);
    event PIDUpdated(int256 kp, int256 ki, int256 kd);
    event TemperatureBoundsUpdated(int256 minTemp, int256 maxTemp);
    event KPIWeightsUpdated(int256 wEmission, int256 wBacklog, int256 wSla);
    event IntegralBoundsUpdated(int256 integralMin, int256 integralMax);
    event Tick(int256 emission, int256 backlog, int256 sla, int256 newTemp);

    error OutOfBounds(int256 value, int256 min, int256 max);

    constructor(address governance_, int256 temperature, int256 min_, int256 max_) Governable(governance_) {
        if (min_ <= 0 || min_ > max_) revert OutOfBounds(min_, 1, max_);
        minTemp = min_;
        maxTemp = max_;
        integralMin = -UNIT;
        integralMax = UNIT;
        systemTemperature = _inBounds(temperature);
    }

    function setSystemTemperature(int256 temp) external onlyGovernance {
        systemTemperature = _inBounds(temp);
        emit TemperatureUpdated(temp);
    }

    function setTemperatureBounds(int256 min_, int256 max_) external onlyGovernance {
        if (min_ <= 0 || min_ > max_) revert OutOfBounds(min_, 1, max_);
        minTemp = min_;
        maxTemp = max_;
        systemTemperature = _clamp(systemTemperature, min_, max_);
        emit TemperatureBoundsUpdated(min_, max_);
    }

    function setPID(int256 kp_, int256 ki_, int256 kd_) external onlyGovernance {
        kp = kp_;
        ki = ki_;
        kd = kd_;
        emit PIDUpdated(kp_, ki_, kd_);
    }

    function setKPIWeights(int256 emission, int256 backlog, int256 sla) external onlyGovernance {
        wEmission = emission;
        wBacklog = backlog;
        wSla = sla;
        emit KPIWeightsUpdated(emission, backlog, sla);
    }

    function setIntegralBounds(int256 min_, int256 max_) external onlyGovernance {
        if (min_ > max_) revert OutOfBounds(min_, min_, max_);
        integralMin = min_;
        integralMax = max_;
        emit IntegralBoundsUpdated(min_, max_);
    }

    function setRoleTemperature(uint8 role, int256 temp) external onlyGovernance {
        _roleTemperature[role] = _inBounds(temp);
        emit RoleTemperatureUpdated(role, temp);
    }

    function unsetRoleTemperature(uint8 role) external onlyGovernance {
        _roleTemperature[role] = 0;
        emit RoleTemperatureUpdated(role, 0);
    }

    /// The system temperature, unless the role has its own.
    function getRoleTemperature(uint8 role) external view returns (int256) {
        int256 temp = _roleTemperature[role];
        return temp == 0 ? systemTemperature : temp;
    }

    function tick(int256 emission, int256 backlog, int256 sla) external onlyGovernance {
        int256 deviation = emission * wEmission + backlog * wBacklog + sla * wSla;
        _integral = _clamp(_integral + deviation, integralMin, integralMax);
        int256 move = (kp * deviation + ki * _integral + kd * (deviation - _lastError)) / UNIT;
        _lastError = deviation;
        systemTemperature = _clamp(systemTemperature + move, minTemp, maxTemp);
        emit Tick(emission, backlog, sla, systemTemperature);
    }

    function _inBounds(int256 temp) private view returns (int256) {
        if (temp < minTemp || temp > maxTemp) revert OutOfBounds(temp, minTemp, maxTemp);
        return temp;
    }

    function _clamp(int256 value, int256 min_, int256 max_) private pure returns (int256) {
        return value < min_ ? min_ : value > max_ ? max_ : value;
    }
}
